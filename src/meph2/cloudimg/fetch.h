#pragma once

#include <exception>
#include <string>
#include <vector>

#include "meph2/cloudimg/select.h"
#include "sstream/source/content_source.h"

namespace meph2 {

/// What became of an image: a verified local file, or why there is none.
struct FetchedImage {
  std::string file;
  std::exception_ptr error;
};

/// Brings images here before anything unpacks them. A local source is read in place. What comes
/// over the network is kept in `cache` (CACHE/<sha256>/<its base name>), interrupted downloads are
/// resumed by the next run. Either way size and all digests are verified; one that fails does not
/// stop the others. Result in the order of `images`.
std::vector<FetchedImage> fetch_images(sstream::ContentSource& source,
                                       const std::vector<CloudImage>& images,
                                       const std::string& cache, const sstream::Context& context);

/// Removes an image that has been published.
void forget_image(const std::string& cache, const CloudImage& image);

/// Removes what no run has touched for a week.
void clean_cache(const std::string& cache, const base::Clock& clock);

}  // namespace meph2
