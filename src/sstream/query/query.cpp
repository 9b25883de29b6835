#include "sstream/query/query.h"

#include <map>

#include "base/process/stop.h"
#include "base/strings.h"
#include "sstream/format/filter.h"
#include "sstream/query/record.h"

namespace sstream {

namespace {

/// Turns items into text, product by product.
class Listing {
 public:
  Listing(const QueryOptions& options, const std::string& base, const QuerySinks& sinks)
      : options_(options),
        filters_(options.filters),
        format_(options.output == QueryOutput::format ? options.format : ""),
        base_(base),
        sinks_(sinks),
        record_(base) {}

  void add(const Item& item) {
    const auto& pedigree = item.pedigree();
    if (pedigree.product != product_) {
      end_product();
      product_ = pedigree.product;
    }
    item.path();  // an unsafe one is refused, whatever the filters say
    if (!filters_.matches(item)) {
      return;
    }
    if (Texts* texts = texts_of(pedigree.version); texts != nullptr) {
      append(item, *texts);
    }
  }

  /// The products of one document do not go on in the next one.
  void end_document() {
    end_product();
    product_.clear();
    record_.forget();
  }

  void end() const {
    if (options_.output == QueryOutput::json) {
      sinks_.out(any_ ? "\n]\n" : "[]\n");
    }
  }

 private:
  struct Texts {
    std::string out;
    std::string complaints;
  };

  /// Where a version's text goes; nullptr for one that is not among the newest.
  Texts* texts_of(const std::string& version) {
    const auto max = options_.max.value_or(SIZE_MAX);
    if (versions_.size() >= max && !versions_.contains(version)) {
      if (max == 0 || version < versions_.begin()->first) {
        return nullptr;
      }
      versions_.erase(versions_.begin());
    }
    return &versions_[version];
  }

  void append(const Item& item, Texts& texts) {
    switch (options_.output) {
      case QueryOutput::format:
        if (const auto missing = format_.append(item, base_, texts.out)) {
          texts.complaints += base::cat("output format failed. Missing ", *missing,
                                        "\nitem: ", python_dict(record_.pairs(item)), "\n");
          return;
        }
        break;
      case QueryOutput::json:
        texts.out += ",\n  ";  // the first item's comma is dropped
        record_.append_json(item, texts.out);
        return;
      case QueryOutput::dict:
        record_.append_dict(item, texts.out);
        break;
      case QueryOutput::pretty:
        texts.out += python_pretty(record_.pairs(item));
        break;
    }
    texts.out += '\n';
  }

  void end_product() {
    for (auto at = versions_.rbegin(); at != versions_.rend(); ++at) {
      std::string_view out = at->second.out;
      if (options_.output == QueryOutput::json && !any_ && !out.empty()) {
        sinks_.out("[");
        out.remove_prefix(1);  // the comma
      }
      any_ = any_ || !out.empty();
      sinks_.out(out);
      if (!at->second.complaints.empty()) {
        sinks_.complaints(at->second.complaints);
      }
    }
    versions_.clear();
  }

  const QueryOptions& options_;
  Filters filters_;
  RecordFormat format_;
  std::string base_;
  const QuerySinks& sinks_;
  std::string product_;
  std::map<std::string, Texts> versions_;  ///< of the product, by string order
  Record record_;
  bool any_ = false;
};

}  // namespace

void query(const QueryOptions& options, const QuerySinks& sinks, const Context& context) {
  static_cast<void>(Filters(options.filters));  // what is wrong with them is said before anything
  static_cast<void>(RecordFormat(options.format));
  auto source = options.path
                    ? ContentSource::open_at(options.source, *options.path, options.trust, context)
                    : ContentSource::open(options.source, options.trust, context);
  // The established tool puts nothing in front where the stream is the current directory.
  const bool here = !options.path && options.source.starts_with("streams/v1/");
  Listing listing(options, here ? "" : source.base(), sinks);
  for (const auto& entry : source.entries()) {
    source.visit_items(entry, [&](const Item& item) {
      base::check_stop(context.stop);
      listing.add(item);
    });
    listing.end_document();
  }
  listing.end();
}

}  // namespace sstream
