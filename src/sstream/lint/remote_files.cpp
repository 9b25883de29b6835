#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/temp_dir.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/lint/stream_files.h"

namespace sstream::lint {

namespace {

constexpr std::uint64_t largest_remote_document = 256ULL << 20U;
constexpr std::uint64_t longest_cached = 3600;  // seconds
constexpr std::chrono::seconds longest_connect(5);

/// A file that the metadata names, and where.
struct Named {
  std::string document;
  std::string pointer;  ///< for the finding: an item's path
  std::optional<std::uint64_t> size;
};

class RemoteFiles : public StreamFiles {
 public:
  RemoteFiles(const std::string& url, ServerProbes probes, const Context& context)
      : context_(context), base_(url.ends_with("/") ? url : url + "/"), probes_(std::move(probes)) {
    if (!probes_.is_dropped) {
      probes_.is_dropped = [](const std::string& one) {
        return io::is_dropped(one, longest_connect);
      };
    }
  }

  std::optional<base::File> open(const std::string& path) override;

  bool is_url() const override { return true; }

  std::vector<std::string> keyrings() override { return {}; }

  void named(const Item& item, const std::string& path, Report& report) override;
  void finish(bool whole, Report& report) override;

 private:
  std::string url_of(const std::string& path) const {
    return base_ + base::percent_encode_path(path);
  }

  void report_documents(Report& report) const;
  void report_server(Report& report) const;
  void report_file(const std::string& path, const Named& named, const io::ResponseHead& answer,
                   Report& report) const;

  const Context& context_;
  std::string base_;
  ServerProbes probes_;
  std::vector<std::string> documents_;                        ///< that were there
  std::vector<std::pair<std::string, std::string>> refused_;  ///< path, and why it could not be had
  std::map<std::string, base::File> fetched_;
  std::map<std::string, Named> files_;
  bool answered_ = false;
};

/// Told of once each: what the server keeps from us counts as not being there.
std::optional<base::File> RemoteFiles::open(const std::string& path) {
  if (base::unsafe_path_reason(path) != nullptr) {
    return std::nullopt;
  }
  if (const auto known = fetched_.find(path); known != fetched_.end()) {
    return base::duplicate(known->second);
  }
  auto file = base::unnamed_file(url_of(path));
  io::Request request;
  request.url = url_of(path);
  request.max_bytes = largest_remote_document;
  request.save_to = &file;
  try {
    const bool found = context_.http.get(request, context_.stop).has_value();
    answered_ = true;
    if (!found) {
      return std::nullopt;
    }
  } catch (const base::Error& error) {
    if (!answered_) {
      throw;  // no server at all
    }
    refused_.emplace_back(path, error.what());
    return std::nullopt;
  }
  documents_.push_back(path);
  return base::duplicate(fetched_.emplace(path, std::move(file)).first->second);
}

void RemoteFiles::named(const Item& item, const std::string& path, Report& /*report*/) {
  const auto [at, added] = files_.try_emplace(path);
  if (!added) {
    return;
  }
  const auto place = item.place("path");
  at->second.document = place.file;
  at->second.pointer = place.pointer();
  const auto* size = item.inherited("size");
  if (size != nullptr && size->is_number_unsigned()) {
    at->second.size = size->get<std::uint64_t>();
  }
}

/// For how long an answer may be kept, as far as it says so.
std::uint64_t seconds_cached(const io::ResponseHead& answer) {
  std::uint64_t most = 0;
  for (const auto& part : base::split_list(base::to_lower(answer.cache_control), ',')) {
    if (part == "no-cache" || part == "no-store" || part == "must-revalidate") {
      continue;
    }
    for (const std::string_view name : {"max-age=", "s-maxage="}) {
      if (part.starts_with(name)) {
        most = std::max(most, base::parse_decimal(part.substr(name.size())).value_or(0));
      }
    }
  }
  return most;
}

/// "https://user@host:8443/x/" -> "http://host/".
std::string on_port_80(const std::string& url) {
  auto host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find('/'));
  host = host.substr(host.rfind('@') + 1);  // npos + 1 is 0
  const auto port = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  return base::cat("http://", host.substr(0, port), "/");
}

void RemoteFiles::report_server(Report& report) const {
  const Place place("streams/v1/", {});
  if (!base::to_lower(base_.substr(0, 8)).starts_with("https://")) {
    report.add(engine::url_tls, place, base::cat(base::redact_urls(base_), " is not https"));
    return;
  }
  const auto* rule = report.find(engine::url_port_80);
  const auto plain = on_port_80(base_);
  if (rule != nullptr && report.wants(*rule) && probes_.is_dropped(plain)) {
    report.add(engine::url_port_80, place,
               base::cat("connections to ", plain, " are neither taken nor refused"));
  }
}

void RemoteFiles::report_documents(Report& report) const {
  for (const auto& [path, reason] : refused_) {
    report.add(engine::url_status, {path, {}}, reason);
  }
  for (const auto& path : documents_) {
    base::check_stop(context_.stop);
    try {
      const auto seconds = seconds_cached(context_.http.probe(url_of(path), context_.stop));
      if (seconds > longest_cached) {
        report.add(engine::url_caching, {path, {}},
                   base::cat("may be cached for ", seconds, " seconds"));
      }
    } catch (const base::Error& error) {
      report.add(engine::url_status, {path, {}}, error.what());
    }
  }
}

void RemoteFiles::report_file(const std::string& path, const Named& named,
                              const io::ResponseHead& answer, Report& report) const {
  constexpr long ok = 200;
  constexpr long redirects = 300;
  constexpr long errors = 400;
  const Place place(path, {});
  const auto add = [&](std::string_view rule, const std::string& message) {
    report.add(rule, place, base::cat(message, " (", named.document, " ", named.pointer, ")"));
  };
  if (answer.status >= redirects && answer.status < errors) {
    add(engine::url_redirect, base::cat("HTTP ", answer.status, ": redirected to ",
                                        in_quotes(base::redact_urls(answer.location))));
    return;
  }
  if (answer.status != ok) {
    add(engine::url_status, base::cat("HTTP ", answer.status));
    return;
  }
  if (!answer.encoding.empty()) {
    add(engine::url_encoding,
        base::cat("Content-Encoding: ", base::escape_control(answer.encoding)));
  } else if (!answer.fault.empty()) {
    add(engine::url_length, answer.fault);
  } else if (answer.length && named.size && *answer.length != *named.size) {
    add(engine::url_length,
        base::cat("Content-Length is ", *answer.length, ", the metadata says ", *named.size));
  }
}

void RemoteFiles::finish(bool /*whole*/, Report& report) {
  report_documents(report);
  report_server(report);
  std::vector<const std::pair<const std::string, Named>*> chosen;
  const auto count = std::min<std::uint64_t>(probes_.sample.value_or(files_.size()), files_.size());
  std::uint64_t at = 0;
  for (const auto& file : files_) {
    // Evenly spread: so that each product and version gets its turn.
    if (chosen.size() < count && at * count >= chosen.size() * files_.size()) {
      chosen.push_back(&file);
    }
    ++at;
  }
  std::vector<std::optional<io::ResponseHead>> answers(chosen.size());
  std::vector<std::string> failures(chosen.size());
  base::parallel_for(chosen.size(), probes_.jobs, [&](std::size_t i) {
    base::check_stop(context_.stop);
    try {
      answers[i] = context_.http.probe(url_of(chosen[i]->first), context_.stop);
    } catch (const base::Error& error) {
      failures[i] = error.what();
    }
  });
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (answers[i]) {
      report_file(chosen[i]->first, chosen[i]->second, *answers[i], report);
    } else {
      report.add(engine::url_status, {chosen[i]->first, {}}, failures[i]);
    }
  }
}

}  // namespace

std::unique_ptr<StreamFiles> remote_files(const std::string& url, ServerProbes probes,
                                          const Context& context) {
  return std::make_unique<RemoteFiles>(url, std::move(probes), context);
}

}  // namespace sstream::lint
