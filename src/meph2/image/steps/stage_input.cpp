#include "meph2/image/steps/stage_input.h"

#include <concepts>

#include "base/error.h"
#include "base/strings.h"
#include "io/json/json.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;

template <typename Input, typename Other>
concept Is = std::same_as<std::remove_const_t<Input>, Other>;

// The fields of each input with their keys: the only list of them, for writing and for reading.

void fields(Is<Proposed> auto& input, const auto& field) {
  field("proposed", input.wanted);
  field("proposed_line", input.line);
  field("proposed_suite", input.suite);
  field("proposed_all", input.all);
}

void fields(Is<InitrdNeeds> auto& input, const auto& field) {
  field("generator", input.generator);
  field("initrd_packages", input.initrd_packages);
  field("initrd_optional", input.initrd_optional);
  field("dracut_packages", input.dracut_packages);
  field("purge", input.purge);
  field("modules", input.modules);
  field("dracut_modules", input.dracut_modules);
  field("dracut_drivers", input.dracut_drivers);
  field("files", input.files);
  field("scratch_remove", input.scratch_remove);
  field("divert", input.divert);
}

void fields(Is<AdjustInput> auto& input, const auto& field) {
  fields(input.proposed, field);
  field("repositories", input.repositories);
  field("purge_packages", input.purge);
  field("upgrade", input.upgrade);
  field("add", input.add);
  field("divert", input.divert);
}

void fields(Is<PrepareInput> auto& input, const auto& field) {
  fields(input.needs, field);
  fields(input.proposed, field);
  field("kernels", input.kernels);
}

void fields(Is<KernelInput> auto& input, const auto& field) {
  fields(input.needs, field);
  field("package", input.package);
  field("dtbs", input.dtbs);
}

void fields(Is<KihelperInput> auto& input, const auto& field) {
  field("program", input.program);
  field("place", input.place);
  field("version", input.version);
}

void fields(Is<SquashInput> auto& input, const auto& field) {
  field("output", input.output);
  field("jobs", input.jobs);
  field("compression", input.compression);
  field("conf", input.conf);
}

void fields(Is<RpmInput> auto& input, const auto& field) {
  field("packages", input.packages);
  field("base_mirror", input.base_mirror);
  field("epel_mirror", input.epel_mirror);
}

void fields(Is<TarInput> auto& input, const auto& field) {
  field("output", input.output);
}

template <typename Input>
Input read(Json rest) {
  Input out;
  fields(out, [&rest]<typename Value>(const char* key, Value& value) {
    const auto found = rest.find(key);
    if (found == rest.end()) {
      throw Error(Errc::internal, base::cat("key '", key, "' is missing"));
    }
    base::with_context(base::cat("key '", key, "'"), [&] { found->get_to(value); });
    rest.erase(found);
  });
  if (!rest.empty()) {
    throw Error(Errc::internal, base::cat("unknown key '", rest.begin().key(), "'"));
  }
  return out;
}

template <std::size_t index>
StageInput read_kind(std::string_view kind, const Json& json) {
  if constexpr (index == std::variant_size_v<StageInput>) {
    throw Error(Errc::internal, "unknown kind");
  } else {
    using Input = std::variant_alternative_t<index, StageInput>;
    return kind == Input::kind ? read<Input>(json) : read_kind<index + 1>(kind, json);
  }
}

}  // namespace

const char* kind_of(const StageInput& input) {
  return std::visit([]<typename Input>(const Input&) { return Input::kind; }, input);
}

Json to_json(const StageInput& input) {
  auto out = Json::object();
  const auto write = [&out](const char* key, const auto& value) { out[key] = value; };
  std::visit([&write](const auto& each) { fields(each, write); }, input);
  return out;
}

StageInput stage_input(std::string_view kind, const Json& json) {
  return base::with_context(base::cat("stage ", kind), [&] { return read_kind<0>(kind, json); });
}

}  // namespace meph2::image
