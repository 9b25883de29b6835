#include "sstream/lint/products_lint.h"

namespace sstream::lint {

void look_at_products(base::File& from, const Survey& known, ProductsFile& file,
                      const Options& options, const Checks& checks, Report& report,
                      const std::function<void(const Version& version)>& also) {
  file.tags = known.tags;
  file.has_products = known.has_products;
  file.ftypes = known.ftypes;
  checks.head(file);
  ProductsEvents events;
  events.version = [&](Product& product, const Version& version) {
    if (product.versions.size() == 1 && options.kind_of) {
      product.kind = options.kind_of(product, version);
      file.kinds.insert(product.kind);
    }
    checks.version(version);
    if (also) {
      also(version);
    }
  };
  events.product = [&](Product& product) { checks.product(product); };
  events.odd = [&](const Place& place, const Json& value) {
    report.add(engine::products_structure, place, wrong_type(value, "object"));
  };
  read_products(from, known, file, events);
  if (!known.has_products && known.tags.find("products") == nullptr) {
    report.add(engine::products_structure, file.place(), "has no object 'products'");
  }
  checks.tail(file);
}

void lint_products(base::File& from, const Survey& known, ProductsFile& file, const Rules& rules,
                   const Options& options, Report& report) {
  const Checks checks(rules, report);
  look_at_products(from, known, file, options, checks, report, {});
}

}  // namespace sstream::lint
