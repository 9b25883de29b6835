#include "meph2/build/graph.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace meph2 {

namespace {

using Strings = std::vector<std::string>;

void add_once(Strings& list, const std::string& word) {
  if (!word.empty() && std::ranges::find(list, word) == list.end()) {
    list.push_back(word);
  }
}

/// Builds the graph from the source on.
class Grapher {
 public:
  Grapher(const BuildPlan& plan, const BuildFacts& facts) : plan_(plan), facts_(facts) {
    graph_.name = plan.name();
  }

  BuildGraph take() {
    add(BuildStep::source, {},
        base::cat("everything is made from ", base::redact_urls(facts_.source)));
    add_root();
    add_kernels();
    add_installer();
    add_items();
    return std::move(graph_);
  }

 private:
  /// A step that there is once: named as its kind, and as far as all that the builder makes.
  void add(BuildStep kind, Strings reads, std::string reason, Strings outputs = {}) {
    graph_.nodes.push_back({name_of(kind), kind, std::move(reads), std::move(reason),
                            std::move(outputs), facts_.state});
  }

  bool has_flag(const std::string& name) const {
    return std::ranges::find(plan_.flags, name) != plan_.flags.end();
  }

  /// Why the published root differs from the source's; empty: it does not.
  std::string changes() const {
    Strings why;
    if (has_flag("--proposed") || has_flag("--proposed-packages")) {
      why.emplace_back("packages come from the -proposed pocket");
    }
    if (has_flag("--pre-purge-packages")) {
      why.emplace_back("packages are removed");
    }
    if (!plan_.builtin_kernel.empty() && plan_.builtin_kernel != "none") {
      why.push_back(base::cat("the kernel ", plan_.builtin_kernel, " is built in"));
    }
    if (facts_.added_packages) {
      why.emplace_back("packages are added");
    }
    return base::join(why, ", ");
  }

  std::string squashfs_reason() const {
    if (root_ == "adjust") {
      return "packages are changed: the root is packed anew";
    }
    if (!facts_.is_squashfs) {
      return "no package is changed: a squashfs is published as it is, any other root is packed";
    }
    return *facts_.is_squashfs
               ? "no package is changed: the source's squashfs is published as it is"
               : "no package is changed, but the source is no squashfs: its root is packed";
  }

  void add_root() {
    if (const auto why = changes(); !why.empty()) {
      root_ = name_of(BuildStep::adjust);
      add(BuildStep::adjust, {"source"}, why);
    }
    if (plan_.want_squashfs) {
      const auto directory = plan_.root_image.substr(0, plan_.root_image.rfind('/') + 1);
      add(BuildStep::squashfs, {root_}, squashfs_reason(), {directory + "squashfs"});
    }
    add(BuildStep::manifest, {root_}, "the packages of the published root are listed",
        {plan_.manifest});
    if (plan_.want_root_image) {
      add(BuildStep::root_image, {root_},
          base::cat("a root image is asked for, ", plan_.want_squashfs ? "beside" : "in place of",
                    " a squashfs"),
          {plan_.root_image});
    }
  }

  Strings products_of(const std::string& kpackage) const {
    Strings names;
    for (const auto& product : plan_.products) {
      if (product.row.kpackage == kpackage) {
        add_once(names, product.name);
      }
    }
    return names;
  }

  void add_kernels() {
    Strings packages;
    for (const auto& pack : plan_.packs) {
      add_once(packages, pack.kpackage);
    }
    if (packages.empty()) {
      return;
    }
    add(BuildStep::prepare, {root_},
        base::cat("what ", packages.size(), packages.size() == 1 ? " kernel has" : " kernels have",
                  " in common is fetched once"));
    for (const auto& package : packages) {
      Strings outputs;
      for (const auto& pack : plan_.packs) {
        if (pack.kpackage == package) {
          add_once(outputs, pack.kernel);
          add_once(outputs, pack.initrd);
          add_once(outputs, pack.dtb);
        }
      }
      add(BuildStep::kernel, {"prepare"},
          base::cat("kernel ", package, " is asked for by ",
                    base::join(products_of(package), ", ")),
          std::move(outputs));
      graph_.nodes.back().id = base::cat("kernel:", package);
    }
  }

  /// Before the archive is asked nobody knows which files it has.
  void add_installer() {
    if (!facts_.installer) {
      return;
    }
    Strings outputs;
    for (const auto& product : plan_.products) {
      for (const auto& [name, item] : product.items) {
        if (name.starts_with("di-")) {
          add_once(outputs, item.at("path").get<std::string>());
        }
      }
    }
    add(BuildStep::installer, {}, "the debian-installer's kernels are asked for",
        std::move(outputs));
    graph_.nodes.back().state = facts_.installer_state;
  }

  const BuildNode* maker_of(const std::string& path) const {
    const auto found = std::ranges::find_if(graph_.nodes, [&](const BuildNode& node) {
      return node.kind != BuildStep::item &&
             std::ranges::find(node.outputs, path) != node.outputs.end();
    });
    return found == graph_.nodes.end() ? nullptr : &*found;
  }

  /// One for each file, whoever publishes it.
  void add_items() {
    Strings paths;
    for (const auto& product : plan_.products) {
      for (const auto& [name, item] : product.items) {
        add_once(paths, item.at("path").get<std::string>());
      }
    }
    for (const auto& path : paths) {
      const auto* maker = maker_of(path);
      graph_.nodes.push_back({base::cat("item:", path),
                              BuildStep::item,
                              maker == nullptr ? Strings() : Strings{maker->id},
                              base::cat("published as ", base::join(publishers_of(path), ", ")),
                              {path},
                              maker == nullptr ? facts_.state : maker->state});
    }
  }

  /// "squashfs of PRODUCT".
  Strings publishers_of(const std::string& path) const {
    Strings list;
    for (const auto& product : plan_.products) {
      for (const auto& [name, item] : product.items) {
        if (item.at("path") == path) {
          list.push_back(base::cat(name, " of ", product.name));
        }
      }
    }
    return list;
  }

  const BuildPlan& plan_;
  const BuildFacts& facts_;
  std::string root_ = "source";  ///< what the published root is made of
  BuildGraph graph_;
};

}  // namespace

const char* name_of(BuildStep step) {
  static constexpr std::array names = {"source",  "adjust", "squashfs",  "manifest", "root-image",
                                       "prepare", "kernel", "installer", "item"};
  return names.at(static_cast<std::size_t>(step));
}

BuildGraph build_graph(const BuildPlan& plan, const BuildFacts& facts) {
  return Grapher(plan, facts).take();
}

}  // namespace meph2
