#include "meph2/apt/deb822.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace meph2::apt {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

}  // namespace

const Paragraph::Field* Paragraph::find(std::string_view field) const {
  const auto found =
      std::ranges::find_if(fields_, [&](const Field& each) { return same_name(each.name, field); });
  return found == fields_.end() ? nullptr : &*found;
}

std::string_view Paragraph::value(std::string_view field) const {
  const auto* found = find(field);
  return found == nullptr ? std::string_view() : base::trim(found->value);
}

bool Paragraph::has(std::string_view field) const {
  return find(field) != nullptr;
}

std::vector<std::string_view> Paragraph::lines(std::string_view field) const {
  std::vector<std::string_view> out;
  const auto* found = find(field);
  auto rest = found == nullptr ? std::string_view() : found->value;
  bool first = true;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto text = base::trim(line);
    if (!first && !text.empty()) {
      out.push_back(text);
    }
    first = false;
  }
  return out;
}

/// Cuts a text into paragraphs; keeps the storage of one.
class ParagraphReader {
 public:
  ParagraphReader(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  /// false: there are no more.
  bool next() {
    paragraph_.fields_.clear();
    while (!rest_.empty()) {
      const auto line = rest_.substr(0, rest_.find('\n'));
      rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
      ++number_;
      if (base::trim(line).empty()) {
        if (!paragraph_.fields_.empty()) {
          return true;
        }
      } else {
        take(line);
      }
    }
    return !paragraph_.fields_.empty();
  }

  const Paragraph& paragraph() const { return paragraph_; }

 private:
  [[noreturn]] void reject(const std::string& reason) const {
    throw base::Error(base::Errc::untrusted, base::cat(name_, ":", number_, ": ", reason));
  }

  void take(std::string_view line) {
    if (line.find('\0') != std::string_view::npos) {
      reject("'Field: value' expected");
    }
    auto& fields = paragraph_.fields_;
    if (line.front() == ' ' || line.front() == '\t') {
      if (fields.empty()) {
        reject("a folded line, but no field before it");
      }
      auto& value = fields.back().value;
      value = {value.data(), static_cast<std::size_t>(line.data() + line.size() - value.data())};
      return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      reject("'Field: value' expected");
    }
    const auto field = line.substr(0, colon);
    if (paragraph_.has(field)) {
      reject(base::cat("field '", base::escape_control(field), "' comes twice"));
    }
    if (fields.empty()) {
      paragraph_.line_ = number_;
    }
    fields.push_back({field, line.substr(colon + 1)});
  }

  std::string_view rest_;
  const std::string& name_;
  std::size_t number_ = 0;
  Paragraph paragraph_;
};

void for_each_paragraph(std::string_view text, const std::string& name,
                        const std::function<void(const Paragraph& paragraph)>& visit) {
  ParagraphReader reader(text, name);
  while (reader.next()) {
    visit(reader.paragraph());
  }
}

Paragraph one_paragraph(std::string_view text, const std::string& name) {
  ParagraphReader reader(text, name);
  if (!reader.next()) {
    throw base::Error(base::Errc::untrusted, base::cat(name, ": empty"));
  }
  auto paragraph = reader.paragraph();
  if (reader.next()) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(name, ":", reader.paragraph().line(), ": a second paragraph"));
  }
  return paragraph;
}

}  // namespace meph2::apt
