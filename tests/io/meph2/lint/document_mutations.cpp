#include "base/strings.h"
#include "tests/io/meph2/lint/mutations.h"

namespace lint_test {

namespace {

std::string text(StreamModel& m, const char* name) {
  return io::to_text(m.documents.at(name));
}

}  // namespace

std::vector<Mutation> document_mutations() {
  using M = StreamModel;
  return {
      {"NoIndex", Base::maas, "index-missing", [](M& m) { m.documents.erase("index.json"); }},
      {"IndexCutOff", Base::maas, "json-syntax",
       [](M& m) { m.raw["index.json"] = text(m, "index.json").substr(0, 100); }},
      {"ProductsTrailingComma", Base::maas, "json-syntax",
       [](M& m) {
         const auto name = std::string(ubuntu) + ".json";
         m.raw[name] =
             base::replace_all(text(m, name.c_str()), "\"generic\",\n", "\"generic\",,\n");
       }},
      {"ByteOrderMark", Base::maas, "json-bom",
       [](M& m) { m.raw["index.json"] = "\xEF\xBB\xBF" + text(m, "index.json"); }},
      {"NotANumber", Base::containers, "json-number",
       [](M& m) {
         m.raw["images.json"] =
             base::replace_all(text(m, "images.json"), "\"supported\": true", "\"supported\": NaN");
       }},
      {"HugeNumber", Base::containers, "json-number",
       [](M& m) {
         m.raw["images.json"] = base::replace_all(text(m, "images.json"), "\"supported\": true",
                                                  "\"supported\": 99999999999999999999999");
       }},
      {"DuplicateKey", Base::maas, "json-duplicate-key",
       [](M& m) {
         m.raw["index.json"] = base::replace_all(text(m, "index.json"), "{\n \"format\"",
                                                 "{\n \"format\": \"index:1.0\",\n \"format\"");
       }},
      {"RawUtf8", Base::maas, "json-ascii",
       [](M& m) {
         const auto name = std::string(ubuntu) + ".json";
         m.raw[name] = base::replace_all(text(m, name.c_str()), "Noble Numbat",
                                         "N\xC3\xB6"
                                         "ble");
       }},
      {"IndexIsAList", Base::maas, "index-structure",
       [](M& m) { m.index()["index"] = io::Json::array(); }},
      {"IndexWithoutIndex", Base::containers, "index-structure",
       [](M& m) { m.index().erase("index"); }},
      {"IndexFormatMissing", Base::maas, "index-format", [](M& m) { m.index().erase("format"); }},
      {"IndexFormatOther", Base::juju, "index-format",
       [](M& m) { m.index()["format"] = "index:2.0"; }},
      {"IndexUpdatedMissing", Base::maas, "index-updated",
       [](M& m) { m.index().erase("updated"); }},
      {"IndexUpdatedGmt", Base::maas, "index-updated",
       [](M& m) { m.index()["updated"] = "Thu, 01 Jan 2026 00:00:00 GMT"; }},
      {"IndexUpdatedNumber", Base::containers, "index-updated-type",
       [](M& m) { m.index()["updated"] = 1767225600; }},
      {"IndexEmpty", Base::maas, "entry-structure",
       [](M& m) { m.index()["index"] = io::Json::object(); }},
      {"EntryIsText", Base::maas, "entry-structure", [](M& m) { m.entry(centos) = "x"; }},
      {"EntryPathIsNumber", Base::containers, "entry-structure",
       [](M& m) { m.entry(images)["path"] = 7; }},
      {"EntryPathMissing", Base::maas, "entry-path", [](M& m) { m.entry(centos).erase("path"); }},
      {"EntryPathAbsolute", Base::maas, "entry-path-unsafe",
       [](M& m) { m.entry(centos)["path"] = "/streams/v1/x.json"; }},
      {"EntryPathClimbs", Base::containers, "entry-path-unsafe",
       [](M& m) { m.entry(images)["path"] = "../x.json"; }},
      {"EntrySjsonInIndexJson", Base::maas, "entry-path-suffix",
       [](M& m) { m.entry(centos)["path"] = base::cat("streams/v1/", centos, ".sjson"); }},
      {"ProductsFileGone", Base::maas, "products-missing",
       [](M& m) { m.documents.erase(std::string(centos) + ".json"); }},
      {"ProductsFileGoneOfContainers", Base::containers, "products-missing",
       [](M& m) { m.documents.erase("images.json"); }},
      {"EntryUpdatedMissing", Base::maas, "entry-updated",
       [](M& m) { m.entry(loaders).erase("updated"); }},
      {"EntryUpdatedWords", Base::maas, "entry-updated",
       [](M& m) { m.entry(loaders)["updated"] = "yesterday"; }},
      {"EntryFormatMissing", Base::maas, "entry-format",
       [](M& m) { m.entry(ubuntu).erase("format"); }},
      {"EntryFormatOther", Base::maas, "entry-format",
       [](M& m) { m.entry(ubuntu)["format"] = "products:2.0"; }},
      {"EntryDatatypeOther", Base::maas, "entry-datatype",
       [](M& m) { m.entry(ubuntu)["datatype"] = "content-download"; }},
      {"NoDownloads", Base::containers, "index-no-downloads",
       [](M& m) { m.entry(images)["datatype"] = "image-ids"; }},
      {"NoIds", Base::juju, "index-no-image-ids",
       [](M& m) { m.entry(clouds)["datatype"] = "image-downloads"; }},
      {"EntryProductsMissing", Base::maas, "entry-products",
       [](M& m) { m.entry(ubuntu).erase("products"); }},
      {"EntryProductsEmpty", Base::containers, "entry-products",
       [](M& m) { m.entry(images)["products"] = io::Json::array(); }},
      {"EntryProductsNumbers", Base::maas, "entry-products",
       [](M& m) {
         m.entry(ubuntu)["products"] = {1, 2};
       }},
      {"EntryProductsLacksOne", Base::juju, "entry-products-differ",
       [](M& m) { m.entry(clouds)["products"] = {"com.ubuntu.cloud:server:22.04:amd64"}; }},
      {"EntryProductsHasOneMore", Base::maas, "entry-products-differ",
       [](M& m) { m.entry(ubuntu)["products"].push_back("gone:v3:x"); }},
      {"SameBasename", Base::containers, "products-basename",
       [](M& m) {
         m.documents["more/images.json"] = m.file(images);
         m.index()["index"]["more"] = m.entry(images);
         m.index()["index"]["more"]["path"] = "streams/v1/more/images.json";
       }},
      {"Notifications", Base::maas, "maas-notifications",
       [](M& m) { m.entry(centos)["datatype"] = "release-notifications"; }},
      {"ContentIdDiffers", Base::maas, "content-id-differs",
       [](M& m) { m.file(ubuntu)["content_id"] = "com.ubuntu.maas:other:v3:download"; }},
      {"ProductsIsAList", Base::containers, "products-structure",
       [](M& m) { m.file(images)["products"] = io::Json::array(); }},
      {"ProductIsText", Base::maas, "products-structure", [](M& m) { m.product(ubuntu) = "x"; }},
      {"VersionsIsNumber", Base::maas, "products-structure",
       [](M& m) { m.product(ubuntu)["versions"] = 1; }},
      {"VersionIsAList", Base::juju, "products-structure",
       [](M& m) { m.version(clouds) = io::Json::array(); }},
      {"ItemsIsText", Base::containers, "products-structure",
       [](M& m) { m.version(images)["items"] = "x"; }},
      {"ItemIsNull", Base::maas, "products-structure",
       [](M& m) { m.item(ubuntu, "squashfs") = nullptr; }},
      {"ProductsGone", Base::maas, "products-structure",
       [](M& m) { m.file(ubuntu).erase("products"); }},
      {"DocumentIsAList", Base::maas, "products-structure",
       [](M& m) { m.file(ubuntu) = io::Json::array(); }},
  };
}

}  // namespace lint_test
