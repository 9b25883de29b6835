#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace meph2::apt {

/// A paragraph of Debian control text (deb-control(5), deb822(5)): views into the text it was read
/// from, which must outlive it.
class Paragraph {
 public:
  /// The value of a field, without blanks around it; folded ones with their line ends. Empty where
  /// there is none. Names are compared without regard to case.
  std::string_view value(std::string_view field) const;

  bool has(std::string_view field) const;

  /// The lines of a folded field after its first one, trimmed, without empty ones.
  std::vector<std::string_view> lines(std::string_view field) const;

  /// Line of the text that the paragraph begins on, from 1.
  std::size_t line() const { return line_; }

 private:
  friend class ParagraphReader;

  struct Field {
    std::string_view name;
    std::string_view value;  ///< as it stands there
  };

  const Field* find(std::string_view field) const;

  std::vector<Field> fields_;
  std::size_t line_ = 0;
};

/// Calls visit() for each paragraph, one after the other. Error(untrusted) "NAME:LINE: reason" for
/// a line that is no field, one that goes on with nothing, and a field that comes twice.
void for_each_paragraph(std::string_view text, const std::string& name,
                        const std::function<void(const Paragraph& paragraph)>& visit);

/// The text's one paragraph. Error(untrusted) where there are none or more. It points into `text`.
Paragraph one_paragraph(std::string_view text, const std::string& name);

}  // namespace meph2::apt
