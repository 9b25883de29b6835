#pragma once

#include <string>

#include "base/fs/file.h"
#include "io/json/json.h"
#include "sstream/format/product_tree.h"
#include "sstream/format/summary.h"
#include "sstream/repository/generation.h"

namespace sstream {

/// New content of one content id, that is written as it comes: whether it is a tree or more than
/// fits into memory.
class NewStream {
 public:
  NewStream() = default;
  NewStream(const NewStream&) = delete;
  NewStream& operator=(const NewStream&) = delete;
  virtual ~NewStream() = default;

  /// What the index says of it; `updated` is set by the publication.
  virtual StreamSummary summary() const = 0;

  /// The whole document, in the layout of io::write_json(), with this `updated`.
  virtual void write(const std::string& updated, const io::Sink& sink) = 0;

  /// Whether the live generation says the same of its content id, but for `updated`. In general:
  /// in the same layout. (A document that the established tools wrote may say the same in another.)
  virtual bool is_live(const Generation& live);
};

/// Whether the content, written with this `updated`, is the text of the file.
bool is_text_of(NewStream& content, const std::string& updated, const base::File& file);

/// One that is a tree.
class TreeStream : public NewStream {
 public:
  explicit TreeStream(ProductTree tree) : tree_(std::move(tree)) {}

  StreamSummary summary() const override { return summary_of(tree_); }

  void write(const std::string& updated, const io::Sink& sink) override;

  /// Whatever the layout.
  bool is_live(const Generation& live) override;

 private:
  ProductTree tree_;
};

}  // namespace sstream
