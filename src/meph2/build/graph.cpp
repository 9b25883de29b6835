#include "meph2/build/graph.h"

#include <algorithm>

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
    add({"source",
         BuildStep::source,
         {},
         base::cat("everything is made from ", base::redact_urls(facts_.source)),
         {},
         facts_.state});
    add_root();
    add_kernels();
    add_installer();
    add_items();
    return std::move(graph_);
  }

 private:
  void add(BuildNode node) { graph_.nodes.push_back(std::move(node)); }

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
      root_ = "adjust";
      add({root_, BuildStep::adjust, {"source"}, why, {}, facts_.state});
    }
    if (plan_.want_squashfs) {
      const auto directory = plan_.root_image.substr(0, plan_.root_image.rfind('/') + 1);
      add({"squashfs",
           BuildStep::squashfs,
           {root_},
           squashfs_reason(),
           {directory + "squashfs"},
           facts_.state});
    }
    add({"manifest",
         BuildStep::manifest,
         {root_},
         "the packages of the published root are listed",
         {plan_.manifest},
         facts_.state});
    if (plan_.want_root_image) {
      add({"root-image",
           BuildStep::root_image,
           {root_},
           base::cat("a root image is asked for, ", plan_.want_squashfs ? "beside" : "in place of",
                     " a squashfs"),
           {plan_.root_image},
           facts_.state});
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
    add({"prepare",
         BuildStep::prepare,
         {root_},
         base::cat("what ", packages.size(), packages.size() == 1 ? " kernel has" : " kernels have",
                   " in common is fetched once"),
         {},
         facts_.state});
    for (const auto& package : packages) {
      BuildNode node{base::cat("kernel:", package),
                     BuildStep::kernel,
                     {"prepare"},
                     base::cat("kernel ", package, " is asked for by ",
                               base::join(products_of(package), ", ")),
                     {},
                     facts_.state};
      for (const auto& pack : plan_.packs) {
        if (pack.kpackage == package) {
          add_once(node.outputs, pack.kernel);
          add_once(node.outputs, pack.initrd);
          add_once(node.outputs, pack.dtb);
        }
      }
      add(std::move(node));
    }
  }

  /// Before the archive is asked nobody knows which files it has.
  void add_installer() {
    if (!facts_.installer) {
      return;
    }
    BuildNode node{"installer", BuildStep::installer,
                   {},          "the debian-installer's kernels are asked for",
                   {},          facts_.installer_state};
    for (const auto& product : plan_.products) {
      for (const auto& [name, item] : product.items) {
        if (name.starts_with("di-")) {
          add_once(node.outputs, item.at("path").get<std::string>());
        }
      }
    }
    add(std::move(node));
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
      BuildNode node{base::cat("item:", path), BuildStep::item, {}, {}, {path}, facts_.state};
      if (const auto* maker = maker_of(path); maker != nullptr) {
        node.reads.push_back(maker->id);
        node.state = maker->state;
      }
      node.reason = base::cat("published as ", base::join(publishers_of(path), ", "));
      add(std::move(node));
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

BuildGraph build_graph(const BuildPlan& plan, const BuildFacts& facts) {
  return Grapher(plan, facts).take();
}

}  // namespace meph2
