#include "io/json/lines.h"

#include <charconv>
#include <unordered_set>

#include "base/error.h"
#include "base/strings.h"
#include "io/json/scan.h"
#include "io/json/source.h"

namespace io {

namespace {

/// Keeps the pointer of where it is as one text, and looks it up at each key and element.
class LineFinder : public JsonEvents {
 public:
  LineFinder(const detail::ByteSource& source, const std::vector<std::string>& pointers)
      : source_(source), wanted_(pointers.begin(), pointers.end()) {
    for (const auto& pointer : pointers) {
      // Where no wanted pointer leads, nothing has to be looked up.
      for (auto at = pointer.find('/', 1); at != std::string::npos;
           at = pointer.find('/', at + 1)) {
        above_.insert(pointer.substr(0, at));
      }
    }
  }

  void start_object() override { open(false); }

  void start_array() override { open(true); }

  void key(std::string& name) override {
    if (!on_way()) {
      return;
    }
    pointer_.resize(frames_.back().length);
    pointer_ += '/';
    pointer_ += base::replace_all(base::replace_all(name, "~", "~0"), "/", "~1");
    record();
  }

  void end_object() override { close(); }

  void end_array() override { close(); }

  void scalar(Json&& /*value*/) override { element(); }

  bool wants_text() const override { return false; }

  std::map<std::string, std::uint64_t> take() { return std::move(found_); }

 private:
  struct Frame {
    bool array = false;
    bool on_way = false;
    std::size_t length = 0;  ///< of the pointer of the container
    std::size_t index = 0;
  };

  bool on_way() const { return !frames_.empty() && frames_.back().on_way; }

  void element() {
    if (!frames_.empty() && frames_.back().array) {
      auto& frame = frames_.back();
      if (frame.on_way) {
        pointer_.resize(frame.length);
        pointer_ += base::cat("/", frame.index);
        record();
      }
      ++frame.index;
    }
  }

  void open(bool array) {
    element();
    const bool here = frames_.empty() || (on_way() && above_.contains(pointer_));
    frames_.push_back({array, here, pointer_.size(), 0});
  }

  void close() {
    pointer_.resize(std::min(pointer_.size(), frames_.back().length));
    frames_.pop_back();
  }

  void record() {
    if (wanted_.contains(pointer_)) {
      const auto at = source_.consumed();
      found_.emplace(pointer_,
                     base::parse_decimal(base::split(source_.position(at > 0 ? at - 1 : 0), ':')[0])
                         .value_or(0));
    }
  }

  const detail::ByteSource& source_;
  std::unordered_set<std::string> wanted_;
  std::unordered_set<std::string> above_;
  std::vector<Frame> frames_;
  std::string pointer_;
  std::map<std::string, std::uint64_t> found_;
};

}  // namespace

std::map<std::string, std::uint64_t> lines_of(const base::File& file,
                                              const std::vector<std::string>& pointers) {
  const JsonLimits limits;
  detail::ByteSource source(file, limits.max_bytes, detail::Lines::counted);
  LineFinder finder(source, pointers);
  if (!detail::scan_json(source, finder, limits)) {
    throw base::Error(base::Errc::untrusted, base::cat(file.name(), ": is no JSON"));
  }
  return finder.take();
}

}  // namespace io
