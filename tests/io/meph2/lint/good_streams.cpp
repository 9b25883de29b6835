#include "tests/io/meph2/lint/good_streams.h"

#include "base/fs/file.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "tests/support/tar_writer.h"

namespace lint_test {

namespace {

constexpr const char* stamp = "Thu, 01 Jan 2026 00:00:00 +0000";

io::Json item_of(StreamModel& model, const std::string& path, const std::string& ftype,
                 const std::string& content) {
  model.files[path] = content;
  return {{"ftype", ftype},
          {"path", path},
          {"sha256", io::digest_hex(io::Algorithm::sha256, content)},
          {"size", content.size()}};
}

/// An item whose file is its path, as text.
io::Json item(StreamModel& model, const std::string& path, const std::string& ftype) {
  return item_of(model, path, ftype, path);
}

void add(StreamModel& model, const std::string& name, const io::Json& products,
         const std::string& datatype) {
  model.documents[name + ".json"] = {{"content_id", name},
                                     {"datatype", datatype},
                                     {"format", "products:1.0"},
                                     {"products", products},
                                     {"updated", stamp}};
  auto names = io::Json::array();
  for (const auto& product : products.items()) {
    names.push_back(product.key());
  }
  if (!model.documents.contains("index.json")) {
    model.documents["index.json"] = {
        {"format", "index:1.0"}, {"index", io::Json::object()}, {"updated", stamp}};
  }
  model.index()["index"][name] = {{"datatype", datatype},
                                  {"format", "products:1.0"},
                                  {"path", base::cat("streams/v1/", name, ".json")},
                                  {"products", names},
                                  {"updated", stamp}};
}

io::Json ubuntu_products(StreamModel& model) {
  auto products = io::Json::object();
  for (const char* arch : {"amd64", "arm64"}) {
    io::Json product = {{"arch", arch},
                        {"kflavor", "generic"},
                        {"krel", "noble"},
                        {"label", "stable"},
                        {"os", "ubuntu"},
                        {"release", "noble"},
                        {"release_codename", "Noble Numbat"},
                        {"release_title", "24.04 LTS"},
                        {"subarch", "ga-24.04"},
                        {"subarches", "generic,ga-24.04"},
                        {"support_eol", "2029-05-31"},
                        {"version", "24.04"}};
    for (const char* version : {"20260101", "20260102"}) {
      const auto at = base::cat("noble/", arch, "/", version, "/");
      product["versions"][version]["items"] = {
          {"boot-initrd", item(model, at + "ga-24.04/generic/boot-initrd", "boot-initrd")},
          {"boot-kernel", item(model, at + "ga-24.04/generic/boot-kernel", "boot-kernel")},
          {"manifest", item(model, at + "squashfs.manifest", "manifest")},
          {"squashfs", item(model, at + "squashfs", "squashfs")}};
    }
    products[base::cat("com.ubuntu.maas:v3:boot:24.04:", arch, ":ga-24.04")] = product;
  }
  return products;
}

io::Json centos_products(StreamModel& model) {
  io::Json product = {{"arch", "amd64"},        {"label", "stable"},    {"os", "centos"},
                      {"release", "9"},         {"release_title", "9"}, {"subarch", "generic"},
                      {"subarches", "generic"}, {"version", "9"}};
  product["versions"]["20260101"]["items"] = {
      {"manifest", item(model, "centos/9/amd64/20260101/root-tgz.manifest", "manifest")},
      {"root-tgz", item(model, "centos/9/amd64/20260101/root-tgz", "root-tgz")}};
  return {{"com.ubuntu.maas:v3:centos-bases:9:amd64", product}};
}

io::Json loader_products(StreamModel& model) {
  io::Json product = {{"arch", "amd64"},
                      {"arches", "amd64"},
                      {"bootloader-type", "uefi"},
                      {"label", "stable"},
                      {"os", "grub-efi-signed"}};
  for (const char* name : {"grub2-signed", "shim-signed"}) {
    support::TarWriter tar;
    for (const char* held : name == std::string("grub2-signed")
                                ? std::vector<const char*>{"grubx64.efi"}
                                : std::vector<const char*>{"bootx64.efi", "mmx64.efi"}) {
      tar.file(held, held);
    }
    auto one = item_of(model, base::cat("bootloaders/uefi/amd64/20260101.0/", name, ".tar.xz"),
                       "archive.tar.xz", tar.bytes());
    one["src_package"] = name;
    one["src_release"] = "noble";
    one["src_version"] = "1.2";
    product["versions"]["20260101.0"]["items"][name] = one;
  }
  return {{"com.ubuntu.maas:1:grub-efi-signed:uefi:amd64", product}};
}

}  // namespace

void StreamModel::rename_product(const std::string& name, const std::string& to) {
  auto& products = file(name).at("products");
  auto node = product(name);
  products.erase(products.begin().key());
  products[to] = std::move(node);
  auto& listed = entry(name).at("products");
  listed = io::Json::array();
  for (const auto& one : products.items()) {
    listed.push_back(one.key());
  }
}

void StreamModel::rename_version(const std::string& name, const std::string& to) {
  auto& versions = product(name).at("versions");
  auto node = *versions.begin();
  versions.erase(versions.begin().key());
  versions[to] = std::move(node);
}

void StreamModel::write(const std::string& directory) const {
  const auto put = [&](const std::string& path, const std::string& content) {
    const auto full = base::cat(directory, "/", path);
    base::make_directories(full.substr(0, full.rfind('/')));
    auto file = base::open_file(full, O_WRONLY | O_CREAT | O_TRUNC);
    file.write(content);
  };
  base::make_directories(directory + "/streams/v1");
  for (const auto& [name, json] : documents) {
    if (!raw.contains(name)) {
      put("streams/v1/" + name, io::to_text(json));
    }
  }
  for (const auto& [name, text] : raw) {
    put("streams/v1/" + name, text);
  }
  for (const auto& [path, content] : files) {
    put(path, content);
  }
}

StreamModel maas_stream() {
  StreamModel model;
  add(model, ubuntu, ubuntu_products(model), "image-ids");
  add(model, centos, centos_products(model), "image-ids");
  add(model, loaders, loader_products(model), "image-ids");
  return model;
}

StreamModel container_stream() {
  StreamModel model;
  auto products = io::Json::object();
  for (const char* arch : {"amd64", "arm64"}) {
    io::Json product = {{"aliases", base::cat("noble/default,noble")},
                        {"arch", arch},
                        {"os", "Ubuntu"},
                        {"release", "noble"},
                        {"release_title", "24.04 LTS"},
                        {"requirements", {{"secureboot", "false"}}},
                        {"supported", true},
                        {"variant", "default"},
                        {"version", "24.04"}};
    for (const char* version : {"20260101_07:42", "20260102_07:42"}) {
      const auto at = base::cat("images/noble/", arch, "/", version, "/");
      auto& items = product["versions"][version]["items"];
      items["root.squashfs"] = item(model, at + "rootfs.squashfs", "squashfs");
      items["disk.qcow2"] = item(model, at + "disk.qcow2", "disk-kvm.img");
      for (const char* ftype : {"lxd.tar.xz", "incus.tar.xz"}) {
        auto& metadata = items[ftype] = item(model, at + ftype, ftype);
        const auto combined = [&](const char* root) {
          return io::digest_hex(io::Algorithm::sha256, base::cat(at, ftype, at, root));
        };
        metadata["combined_squashfs_sha256"] = combined("rootfs.squashfs");
        metadata["combined_disk-kvm-img_sha256"] = combined("disk.qcow2");
      }
    }
    auto& newest = product["versions"]["20260102_07:42"]["items"];
    newest["delta"] = item(model, base::cat("images/noble/", arch, "/20260102_07:42/delta.vcdiff"),
                           "squashfs.vcdiff");
    newest["delta"]["delta_base"] = "20260101_07:42";
    products[base::cat("ubuntu:noble:", arch, ":default")] = product;
  }
  add(model, images, products, "image-downloads");
  return model;
}

StreamModel juju_stream() {
  StreamModel model;
  io::Json product = {{"arch", "amd64"}, {"release", "noble"}, {"version", "24.04"}};
  for (const char* version : {"20260101", "20260102"}) {
    for (const char* region : {"one", "two"}) {
      product["versions"][version]["items"][region] = {{"id", base::cat("ami-", version, region)},
                                                       {"region", region},
                                                       {"endpoint", "https://cloud.example.com"},
                                                       {"root_store", "ebs"},
                                                       {"virt", "hvm"}};
    }
  }
  add(model, clouds, {{"com.ubuntu.cloud:server:24.04:amd64", product}}, "image-ids");
  model.entry(clouds)["clouds"] = {{{"region", "one"}, {"endpoint", "https://cloud.example.com"}},
                                   {{"region", "two"}, {"endpoint", "https://cloud.example.com"}}};
  return model;
}

}  // namespace lint_test
