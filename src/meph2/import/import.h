#pragma once

#include <optional>
#include <string>

#include "meph2/import/artefact.h"
#include "meph2/supply/add_versions.h"
#include "sstream/publish/publication.h"

namespace meph2 {

struct ImportOptions {
  std::string config;   ///< path, or the name of a shipped file; empty: `artefact`
  std::string target;   ///< data directory, made if absent
  std::string keyring;  ///< of the archives that packages come from
  bool proposed = false;
  bool force = false;
  std::size_t max = 2;  ///< versions of an image_index; 0: all
  import::ArtefactOptions artefact;
  sstream::PublishOptions publish;
};

struct ImportResult {
  AddedItems items;
  std::optional<sstream::PublishResult> published;  ///< nothing: there was nothing new
};

/// Brings into a stream what does not come as a stream (docs/format.md 4.6): bootloaders out of
/// packages, release notifications, images by an index of their own or built by packer-maas, and
/// ready-made files. What is published already adds no version. One transaction for all; all other
/// keys of the documents stay.
ImportResult import_into(const ImportOptions& options, const sstream::Context& context);

}  // namespace meph2
