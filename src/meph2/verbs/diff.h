#pragma once

#include <string>

#include "sstream/source/content_source.h"

namespace meph2 {

struct DiffOptions {
  std::string source;              ///< directory, file or URL
  std::string target;              ///< the same
  bool new_versions_only = false;  ///< of versions, those that only the source has
  bool latest_only = false;        ///< of these, the newest of each product
  bool promote = false;            ///< name both labels: applied as a patch it brings all over
  sstream::TrustOptions trust;     ///< of both
};

/// What differs between two streams, as an object that `patch` takes (docs/format.md 4.7). Stream:
///
///     STREAM.json:                       content id without its label
///       PRODUCT:                         product without it
///         labels: [LABEL...]             where it is, if it is not on both sides
///         KEY: {LABEL: value, LABEL: value}    a tag of the product; null where there is none
///         versions:
///           VERSION:
///             labels: [LABEL...]         where it is
///             items: {ITEM: {KEY: {LABEL: value, LABEL: value}}}   of a version that both have
///       not_merged: [LABEL]              a stream that the other side lacks
///
/// Two streams of one label are told apart as LABEL:source and LABEL:target. Empty where nothing
/// differs. Error(conflict) where one side has two streams that differ in their label only.
io::Json diff(const DiffOptions& options, const sstream::Context& context);

}  // namespace meph2
