#include "sstream/janitor/named_paths.h"

#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/json/json.h"

namespace sstream {

namespace {

/// Hands out every string under a key `path`.
class PathScanner : public io::JsonEvents {
 public:
  explicit PathScanner(const std::function<void(const std::string&)>& visit) : visit_(&visit) {}

  void start_object() override { ++depth_; }

  void end_object() override { --depth_; }

  void start_array() override { ++depth_; }

  void end_array() override { --depth_; }

  void key(std::string& name) override {
    is_path_ = name == "path";
    is_format_ = depth_ == 1 && name == "format";
  }

  void scalar(io::Json&& value) override {
    if (is_path_ && value.is_string()) {
      (*visit_)(value.get_ref<const std::string&>());
    } else if (is_format_ && value.is_string()) {
      format_ = value.get_ref<const std::string&>();
    }
  }

  const std::string& format() const { return format_; }

 private:
  const std::function<void(const std::string&)>* visit_;
  std::size_t depth_ = 0;
  bool is_path_ = false;
  bool is_format_ = false;
  std::string format_;
};

/// Scans the generations of one repository, newest first.
class NamedPaths {
 public:
  using Visit = std::function<void(std::string_view path, std::string_view generation)>;

  NamedPaths(const ReferencePolicy& policy, const Visit& visit, bool several)
      : policy_(&policy), visit_(&visit), several_(several) {}

  void scan(const Metadata& metadata) {
    std::size_t seen = 0;
    for_each_document(metadata, *policy_, [&](base::File& file) {
      if (several_) {
        if (!known_.insert(io::digest_file(io::Algorithm::sha256, file)).second) {
          return;
        }
        file.seek(0);
      }
      seen += scan_document(file, metadata);
    });
    require_some(metadata, *policy_, seen);
  }

 private:
  std::size_t scan_document(base::File& file, const Metadata& metadata) {
    std::size_t seen = 0;
    std::string leads_out;
    const std::function<void(const std::string&)> take = [&](const std::string& text) {
      if (const auto path = normal_path(text)) {
        if (!path->starts_with(data_streams)) {
          ++seen;
        }
        (*visit_)(*path, metadata.generation);
      } else if (!text.empty()) {
        leads_out = text;
      }
    };
    PathScanner scanner(take);
    io::visit_json(file, scanner);
    if (!leads_out.empty() && scanner.format() == "products:1.0") {
      required_path(leads_out, file.name());
    }
    return seen;
  }

  const ReferencePolicy* policy_;
  const Visit* visit_;
  bool several_;
  std::set<std::string> known_;
};

}  // namespace

std::optional<std::string> normal_path(std::string_view path) {
  if (path.empty() || path.front() == '/') {
    return std::nullopt;
  }
  if (path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos &&
      path.front() != '.' && path.back() != '/') {
    return std::string(path);  // nearly all of them
  }
  std::vector<std::string> parts;
  for (auto& part : base::split(path, '/')) {
    if (part.empty() || part == ".") {
      continue;
    }
    if (part != "..") {
      parts.push_back(std::move(part));
    } else if (parts.empty()) {
      return std::nullopt;
    } else {
      parts.pop_back();
    }
  }
  if (parts.empty()) {
    return std::nullopt;
  }
  return base::join(parts, "/");
}

std::string required_path(std::string_view path, const std::string& name) {
  auto normal = normal_path(path);
  if (!normal) {
    throw base::Error(base::Errc::untrusted, base::cat(name, ": names '", path.substr(0, 200),
                                                       "', which leads out of the stream"));
  }
  return std::move(*normal);
}

void for_each_named_path(
    const Repository& repository, const ReferencePolicy& policy,
    const std::function<void(std::string_view path, std::string_view generation)>& visit) {
  const auto generations = generations_of(repository, policy);
  NamedPaths paths(policy, visit, generations.size() > 1);
  for (const auto& generation : generations) {
    paths.scan(open_generation(repository, generation, policy));
  }
}

}  // namespace sstream
