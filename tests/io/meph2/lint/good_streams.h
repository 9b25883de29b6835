#pragma once

#include <map>
#include <string>

#include "io/json/json.h"

namespace lint_test {

/// A stream in memory, to be spoilt in one place and written.
struct StreamModel {
  std::map<std::string, io::Json> documents;  ///< file name in streams/v1 -> content
  std::map<std::string, std::string> raw;     ///< file name in streams/v1 -> text, as it is
  std::map<std::string, std::string> files;   ///< path of a data file -> content

  io::Json& index() { return documents.at("index.json"); }

  /// The index entry of a products file, by the name of the file without .json.
  io::Json& entry(const std::string& name) { return index().at("index").at(name); }

  io::Json& file(const std::string& name) { return documents.at(name + ".json"); }

  /// The first product, of it the first version, of it an item.
  io::Json& product(const std::string& name) { return *file(name).at("products").begin(); }

  io::Json& version(const std::string& name) { return *product(name).at("versions").begin(); }

  io::Json& item(const std::string& name, const std::string& item) {
    return version(name).at("items").at(item);
  }

  /// Gives the first product another name; the index follows.
  void rename_product(const std::string& name, const std::string& to);
  void rename_version(const std::string& name, const std::string& to);

  void write(const std::string& directory) const;
};

// Names of the products files below.
inline constexpr const char* ubuntu = "com.ubuntu.maas:stable:v3:download";
inline constexpr const char* centos = "com.ubuntu.maas:stable:centos-bases-download";
inline constexpr const char* loaders = "com.ubuntu.maas:stable:1:bootloader-download";
inline constexpr const char* images = "images";
inline constexpr const char* clouds = "com.ubuntu.cloud:released:example";

StreamModel maas_stream();
StreamModel container_stream();
StreamModel juju_stream();

}  // namespace lint_test
