#include "sstream/lint/lint.h"

#include <algorithm>
#include <list>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/temp_dir.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/json/lines.h"
#include "sstream/lint/checks.h"
#include "sstream/lint/signatures.h"
#include "sstream/lint/text.h"
#include "sstream/repository/signing.h"

namespace sstream::lint {

namespace {

constexpr const char* plain_index = "streams/v1/index.json";

/// A document that is looked at: as a file, and what the first pass over it said.
struct Products {
  ProductsFile facts;
  base::File file;
  Survey survey;
  std::optional<base::Error> broken;
};

/// X.sjson -> X.json: the documents that an index names are looked at in their plain form.
std::string plain_name(std::string path) {
  if (path.ends_with(".sjson")) {
    path.replace(path.size() - 6, 6, ".json");
  }
  return path;
}

/// The checks of one products file. `from` is read once more; `also` is told of each version.
void read_with(base::File& from, const Survey& known, ProductsFile& file, const Options& options,
               const Checks& checks, Report& report,
               const std::function<void(const Version& version)>& also) {
  file.tags = known.tags;
  file.has_products = known.has_products;
  file.ftypes = known.ftypes;
  checks.head(file);
  ProductsEvents events;
  events.version = [&](Product& product, const Version& version) {
    if (product.versions.size() == 1 && options.kind_of) {
      product.kind = options.kind_of(product, version);
      file.kinds.insert(product.kind);
    }
    checks.version(version);
    if (also) {
      also(version);
    }
  };
  events.product = [&](Product& product) { checks.product(product); };
  events.odd = [&](const Place& place, const Json& value) {
    report.add(engine::products_structure, place, wrong_type(value, "object"));
  };
  read_products(from, known, file, events);
  if (!known.has_products && known.tags.find("products") == nullptr) {
    report.add(engine::products_structure, file.place(), "has no object 'products'");
  }
  checks.tail(file);
}

/// One run of lint().
class Run {
 public:
  Run(StreamFiles& files, const Rules& rules, const Options& options, const Context& context)
      : files_(files), rules_(rules), options_(options), context_(context) {}

  Result run();

 private:
  void open_index();
  void open_products();
  void open_one(const std::string& path, const std::string& entry, const Json* listed);
  std::optional<base::File> open_form(std::string& name, bool may_be_signed);
  Profiles detected() const;
  void check_documents(Report& report, const Checks& checks);
  void check_index(Report& report, const Checks& checks);
  void check_products(Products& products, Report& report, const Checks& checks);
  void check_signed(Report& report, const Checks& checks);
  void check_items(const Version& version, Report& report) const;
  void find_lines(Report& report);

  StreamFiles& files_;
  const Rules& rules_;
  const Options& options_;
  const Context& context_;
  std::optional<IndexDocument> index_;  ///< index.json, else what index.sjson says
  base::File index_file_;
  std::optional<base::Error> index_broken_;
  bool index_plain_ = false;
  std::list<Products> products_;
  std::vector<std::pair<Place, std::string>> missing_;  ///< where the index names it, path
  std::list<IndexDocument> signed_indexes_;
  bool trusted_ = true;
  bool whole_ = true;
};

/// The plain form where there is one: it is what most readers read, and what was signed. Else the
/// text in the signed form, whose name `name` becomes.
std::optional<base::File> Run::open_form(std::string& name, bool may_be_signed) {
  auto plain = files_.open(name);
  if (plain || !may_be_signed) {
    return plain;
  }
  auto message = files_.open(signed_name(name));
  if (!message) {
    return std::nullopt;
  }
  name = signed_name(name);
  auto text = base::unnamed_file(name);
  text.write(unverified_text(base::read_all(*message)).value_or(""));
  text.seek(0);
  return text;
}

void Run::open_index() {
  std::string name = plain_index;
  auto file = open_form(name, true);
  if (!file) {
    return;
  }
  index_plain_ = name == plain_index;
  index_file_ = std::move(*file);
  index_.emplace();
  index_->file = name;
  index_->is_signed = !index_plain_;
  try {
    index_->json = io::read_json(index_file_);
  } catch (const base::Error& error) {
    index_broken_ = error;
    whole_ = false;
  }
}

void Run::open_one(const std::string& path, const std::string& entry, const Json* listed) {
  auto name = plain_name(path);
  auto file = open_form(name, path.ends_with(".sjson"));
  if (!file) {
    whole_ = false;
    missing_.emplace_back(
        Place(index_ ? std::string_view(index_->file) : "", {"index", entry, "path"}), path);
    return;
  }
  auto& products = products_.emplace_back();
  products.facts.file = name;
  products.facts.entry = entry;
  products.facts.listed = listed;
  products.facts.stop = context_.stop;
  if (options_.files && !files_.is_url()) {
    products.facts.read_data = options_.data;
    products.facts.open_data = [this](const std::string& data) { return files_.open(data); };
  }
  products.file = std::move(*file);
  try {
    products.survey = survey(products.file);
  } catch (const base::Error& error) {
    products.broken = error;
    whole_ = false;
  }
}

void Run::open_products() {
  if (!options_.document.empty()) {
    open_one(options_.document, "", nullptr);
    return;
  }
  const auto* entries = index_ ? index_->entries() : nullptr;
  if (entries == nullptr) {
    whole_ = false;
    return;
  }
  for (const auto& [name, entry] : entries->get_ref<const Json::object_t&>()) {
    base::check_stop(context_.stop);
    const auto* path = text_of(member(entry, "path"));
    if (path == nullptr || base::unsafe_path_reason(*path) != nullptr) {
      whole_ = false;  // a rule about entries says so
    } else if (Entry{&*index_, name, &entry}.is_products()) {
      open_one(*path, name, &entry);
    }
  }
}

Profiles Run::detected() const {
  Profiles profiles = 0;
  for (const auto& products : products_) {
    const auto* id = products.survey.tags.text("content_id");
    profiles |= options_.detect(id != nullptr ? *id : products.facts.entry, products.survey);
  }
  if (products_.empty() && options_.detect) {
    profiles |= options_.detect("", {});
  }
  return profiles;
}

void Run::check_index(Report& report, const Checks& checks) {
  if (!index_) {
    if (options_.document.empty()) {
      report.add(engine::index_missing, {plain_index, {}}, "there is neither it nor index.sjson");
    }
    return;
  }
  if (index_plain_) {
    report_text(index_file_, index_->file, report);
  }
  if (index_broken_) {
    report_syntax(*index_broken_, index_file_, index_->file, report);
    return;
  }
  const auto* entries = member(index_->json, "index");
  if (!index_->json.is_object()) {
    report.add(engine::index_structure, index_->place(), wrong_type(index_->json, "object"));
  } else if (entries == nullptr) {
    report.add(engine::index_structure, index_->place(), "has no object 'index'");
  } else if (!entries->is_object()) {
    report.add(engine::index_structure, index_->place().below("index"),
               wrong_type(*entries, "object"));
  }
  checks.index(*index_);
  checks.each_index(*index_);
}

void Run::check_items(const Version& version, Report& report) const {
  if (!options_.files) {
    return;
  }
  for (const auto& item : version) {
    const auto* path = item.inherited_text("path");
    if (path != nullptr && base::unsafe_path_reason(*path) == nullptr) {
      files_.named(item, *path, report);
    }
  }
}

void Run::check_products(Products& products, Report& report, const Checks& checks) {
  base::check_stop(context_.stop);
  auto& facts = products.facts;
  if (facts.file.ends_with(".json")) {
    report_text(products.file, facts.file, report);
  }
  if (products.broken) {
    report_syntax(*products.broken, products.file, facts.file, report);
    return;
  }
  read_with(products.file, products.survey, facts, options_, checks, report,
            [&](const Version& version) { check_items(version, report); });
}

/// The signatures of all documents; what a signed form says otherwise is looked at as well.
void Run::check_signed(Report& report, const Checks& checks) {
  const Keyrings keyrings(options_.keyrings.empty() ? files_.keyrings() : options_.keyrings,
                          context_.clock, report);
  std::vector<std::pair<std::string, SignedDocument>> documents;
  const auto look = [&](const std::string& path) {
    base::check_stop(context_.stop);
    documents.emplace_back(path, check_signatures(files_, path, keyrings, report));
    auto& document = documents.back().second;
    trusted_ = trusted_ && document.trusted;
    if (path != plain_index || !document.clearsigned || !index_plain_) {
      document.text.clear();
      return;
    }
    try {
      auto& index = signed_indexes_.emplace_back();
      index.file = signed_name(path);
      index.is_signed = true;
      index.json = io::parse_json(document.text, index.file);
      checks.each_index(index);
      if (document.differs) {
        checks.index(index);
      }
    } catch (const base::Error& error) {
      report.add(engine::json_syntax, {signed_indexes_.back().file, {}}, error.what());
    }
  };
  if (options_.document.empty()) {
    look(plain_index);
  }
  for (const auto& products : products_) {
    look(plain_name(products.facts.file));
  }
  const bool any = std::any_of(documents.begin(), documents.end(), [](const auto& entry) {
    return entry.second.clearsigned || entry.second.detached;
  });
  const auto require = [&](bool there, const std::string& name) {
    if (any && !there) {
      report.add(engine::signature_missing, {name, {}},
                 "is not there, while other documents are signed");
    }
  };
  for (const auto& [path, document] : documents) {
    require(document.clearsigned, signed_name(path));
    require(document.detached, path + ".gpg");
  }
}

/// Looks the lines up that the findings are on: one more pass over a file, and only where there are
/// any.
void Run::find_lines(Report& report) {
  const auto look = [&](base::File& file, const std::string& name) {
    std::vector<std::string> pointers;
    for (const auto& finding : report.findings()) {
      if (finding.file == name && finding.line == 0 && !finding.pointer.empty()) {
        pointers.push_back(finding.pointer);
      }
    }
    if (pointers.empty()) {
      return;
    }
    const auto lines = io::lines_of(file, pointers);
    for (auto& finding : report.findings()) {
      const auto found = lines.find(finding.pointer);
      if (finding.file == name && finding.line == 0 && found != lines.end()) {
        finding.line = found->second;
      }
    }
  };
  if (index_ && index_plain_ && !index_broken_) {
    look(index_file_, index_->file);
  }
  for (auto& products : products_) {
    if (!products.broken && products.facts.file.ends_with(".json")) {
      look(products.file, products.facts.file);
    }
  }
}

void Run::check_documents(Report& report, const Checks& checks) {
  check_index(report, checks);
  for (const auto& [place, path] : missing_) {
    report.add(engine::products_missing, place, base::cat(in_quotes(path), " cannot be read"));
  }
  for (auto& products : products_) {
    check_products(products, report, checks);
  }
}

Result Run::run() {
  if (options_.document.empty()) {
    open_index();
  }
  open_products();
  if (!options_.document.empty() && products_.empty()) {
    throw base::Error(base::Errc::not_found, base::cat(options_.where, ": no ", options_.document));
  }
  const auto profiles = options_.profiles != 0 ? options_.profiles : detected();
  Result result{Report(rules_, profiles, options_.keep_per_rule), profiles, true};
  auto& report = result.report;
  const Checks checks(rules_, report);
  check_documents(report, checks);
  check_signed(report, checks);
  if (options_.files) {
    files_.finish(whole_ && options_.document.empty(), report);
  }
  Stream stream;
  stream.where = options_.where;
  stream.is_url = files_.is_url();
  stream.has_signed_index = !signed_indexes_.empty() || (index_ && index_->is_signed);
  stream.index = index_ ? &*index_ : nullptr;
  for (const auto& products : products_) {
    if (!products.broken) {
      stream.files.push_back(&products.facts);
    }
  }
  checks.stream(stream);
  find_lines(report);
  report.sort();
  result.trusted = trusted_;
  return result;
}

}  // namespace

Result lint(StreamFiles& files, const Rules& rules, const Options& options,
            const Context& context) {
  return Run(files, rules, options, context).run();
}

void lint_products(base::File& from, const Survey& known, ProductsFile& file, const Rules& rules,
                   const Options& options, Report& report) {
  const Checks checks(rules, report);
  read_with(from, known, file, options, checks, report, {});
}

}  // namespace sstream::lint
