#include <algorithm>

#include "base/strings.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace sstream::lint {

namespace {

void require_text(const ProductsFile& file, const char* key, const Emit& emit) {
  const auto* value = file.tags.find(key);
  if (value == nullptr) {
    emit(file.place(), base::cat("'", key, "' is missing"));
  } else if (!value->is_string()) {
    emit(file.place().below(key), wrong_type(*value, "string"));
  } else if (value->get_ref<const std::string&>().empty()) {
    emit(file.place().below(key), "is empty");
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// How people order names: runs of digits by their value.
bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const auto number = [](std::string_view& text) {
        auto end = std::min(text.find_first_not_of("0123456789"), text.size());
        auto digits = text.substr(0, end);
        text.remove_prefix(end);
        digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
        return digits;
      };
      const auto na = number(a);
      const auto nb = number(b);
      if (na.size() != nb.size()) {
        return na.size() < nb.size();
      }
      if (na != nb) {
        return na < nb;
      }
    } else if (a.front() != b.front()) {
      return a.front() < b.front();
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.empty() && !b.empty();
}

/// The name with every run of digits as one 0 of its kind: "20260101.1" is a date and a serial.
std::string style_of(const std::string& name) {
  const auto digits = std::min(name.find_first_not_of("0123456789"), name.size());
  constexpr std::size_t date = 8;
  if (digits != date) {
    return digits == 0 ? "a name" : "a number";
  }
  const auto rest = std::string_view(name).substr(digits);
  if (rest.empty() || rest.front() == '.') {
    return "a date";
  }
  return base::cat("a date with '", rest.substr(0, 1), "'");
}

/// The serial of "20260101.10".
std::string_view serial_of(std::string_view name) {
  const auto dot = name.find('.');
  const auto serial = dot == name.npos ? std::string_view() : name.substr(dot + 1);
  return std::all_of(serial.begin(), serial.end(), is_digit) ? serial : std::string_view();
}

Place place_of(const Product& product, const std::string& version) {
  return product.place().below("versions").below(version);
}

}  // namespace

void check_products_format(const ProductsFile& file, const Emit& emit) {
  const auto* format = file.tags.find("format");
  if (format == nullptr) {
    emit(file.place(), "'format' is missing, must be 'products:1.0'");
  } else if (*format != "products:1.0") {
    emit(file.place().below("format"), "must be 'products:1.0'");
  }
}

void check_products_content_id(const ProductsFile& file, const Emit& emit) {
  require_text(file, "content_id", emit);
}

void check_products_datatype(const ProductsFile& file, const Emit& emit) {
  require_text(file, "datatype", emit);
}

void check_products_updated(const ProductsFile& file, const Emit& emit) {
  require_text(file, "updated", emit);
  const auto* updated = file.text("updated");
  if (updated != nullptr && !updated->empty()) {
    check_stamp(*updated, file.place().below("updated"), emit);
  }
}

Check check_products_empty() {
  Check check;
  check.version = [](const Version& version, const Emit& emit) {
    if (version.item_count == 0) {
      emit(version.place(), "has no items");
    }
  };
  check.product = [](const Product& product, const Emit& emit) {
    if (product.versions.empty()) {
      emit(product.place(), "has no versions");
    }
  };
  check.tail = [](const ProductsFile& file, const Emit& emit) {
    if (file.has_products && file.products.empty()) {
      emit(file.place().below("products"), "is empty");
    }
  };
  return check;
}

void check_aliases(const ProductsFile& file, const Emit& emit) {
  if (file.tags.find("_aliases") != nullptr) {
    emit(file.place().below("_aliases"), "is there; only the Python tools expand it");
  }
}

void check_version_order(const Product& product, const Emit& emit) {
  auto names = product.versions;
  std::sort(names.begin(), names.end());
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (natural_less(names[i], names[i - 1])) {
      emit(place_of(product, names[i - 1]),
           base::cat("sorts before ", in_quotes(names[i]), ", which is older"));
    }
  }
}

void check_version_style(const Product& product, const Emit& emit) {
  for (const auto& name : product.versions) {
    const auto style = style_of(name);
    const auto first = style_of(product.versions.front());
    if (style != first) {
      emit(place_of(product, name),
           base::cat("is ", style, ", while ", in_quotes(product.versions.front()), " is ", first));
    }
  }
}

void check_version_serial(const Product& product, const Emit& emit) {
  for (const auto& name : product.versions) {
    const auto serial = serial_of(name);
    if (serial.size() > 1 && serial.front() != '0') {
      emit(place_of(product, name),
           base::cat("serial ", serial, " sorts before serials 2 to 9 of the same day"));
    }
  }
}

}  // namespace sstream::lint
