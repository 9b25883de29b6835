#include "io/yaml/yaml.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "io/yaml/scalar.h"

namespace io {

/// Where a value of a YAML file stands, 1-based; columns count bytes.
struct YamlMark {
  unsigned line = 0;
  unsigned column = 0;
};

/// What the parser's events make. Aliases share nodes; only expand() copies them.
struct YamlNode {
  enum class Kind { scalar, sequence, mapping };

  Kind kind = Kind::scalar;
  YamlMark mark;
  Json scalar;
  std::vector<std::shared_ptr<YamlNode>> elements;
  std::vector<std::pair<std::string, std::shared_ptr<YamlNode>>> members;
  std::map<std::string, YamlMark> key_marks;  ///< of the members
  std::vector<std::shared_ptr<YamlNode>>
      merged;        ///< what `<<` names, in order; lists at first whole
  bool open = true;  ///< its end has not been read yet
};

namespace {

[[noreturn]] void reject(const std::string& name, YamlMark mark, const std::string& reason) {
  throw base::Error(base::Errc::usage,
                    base::cat(name, ":", mark.line, ":", mark.column, ": ", reason));
}

YamlMark mark_of(const YAML::Mark& mark) {
  return {static_cast<unsigned>(mark.line < 0 ? 0 : mark.line) + 1,
          static_cast<unsigned>(mark.column < 0 ? 0 : mark.column) + 1};
}

using Node = YamlNode;
using NodePtr = std::shared_ptr<Node>;

/// Collects the events of one document. (The library's own Node is not used: it does not apply
/// `<<`, keeps the first of two equal keys, and is a reference where it looks like a value.)
class Collector : public YAML::EventHandler {
 public:
  Collector(std::string_view text, const std::string& name, const YamlLimits& limits)
      : name_(name), lines_(base::split(text, '\n')), limits_(limits) {}

  const NodePtr& root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      reject(name_, mark_of(mark), "a second document: expected one only");
    }
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // For "key:" with nothing behind it the parser names the next token; the key is what is meant.
    const bool value = !stack_.empty() && stack_.back().key;
    add(make(Node::Kind::scalar, value ? stack_.back().key_mark : mark_of(mark), anchor), "null");
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_tab(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      reject(name_, mark_of(mark), "an alias to an anchor that is not defined");
    }
    if (found->second->open) {
      reject(name_, mark_of(mark), "an alias to what contains it");
    }
    if (!stack_.empty() && stack_.back().node->kind == Node::Kind::mapping && !stack_.back().key &&
        found->second->kind == Node::Kind::scalar) {
      add(found->second, found->second->scalar.is_string()
                             ? found->second->scalar.get<std::string>()
                             : found->second->scalar.dump());
      return;
    }
    add(found->second, std::nullopt);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tab(mark);
    if (!base::valid_utf8(value)) {
      // The escapes \N and \_ are bytes of Latin-1 to yaml-cpp.
      reject(name_, mark_of(mark), "an escape that cannot be read; write \\u0085 or \\u00A0");
    }
    auto node = make(Node::Kind::scalar, mark_of(mark), anchor);
    node->scalar = scalar(mark, tag, value);
    merge_key_ = tag == "?" && value == "<<";
    add(node, value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(Node::Kind::sequence, mark, tag, anchor, "tag:yaml.org,2002:seq");
  }

  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(Node::Kind::mapping, mark, tag, anchor, "tag:yaml.org,2002:map");
  }

  void OnMapEnd() override { end(); }

  /// A tab in the indentation of a line that starts with this token, or whose parse failed here.
  void check_tab(const YAML::Mark& mark) const {
    const auto position = mark_of(mark);
    if (position.line > lines_.size()) {
      return;
    }
    const std::string_view line = lines_[position.line - 1];
    const auto indent = line.substr(0, line.find_first_not_of(" \t"));
    const auto tab = indent.find('\t');
    if (tab != std::string_view::npos && indent.size() + 1 >= position.column) {
      reject(name_, {position.line, static_cast<unsigned>(tab) + 1},
             "a tab in the indentation: expected spaces");
    }
  }

 private:
  struct Frame {
    NodePtr node;
    std::optional<std::string> key;
    YamlMark key_mark;
    bool merge = false;  ///< the key is a plain <<
    std::set<std::string> keys;
  };

  NodePtr make(Node::Kind kind, YamlMark position, YAML::anchor_t anchor) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->mark = position;
    node->open = kind != Node::Kind::scalar;
    if (anchor != YAML::NullAnchor) {
      anchors_[anchor] = node;
    }
    return node;
  }

  Json scalar(const YAML::Mark& mark, const std::string& tag, const std::string& value) const {
    static const std::string core = "tag:yaml.org,2002:";
    try {
      if (tag == "?" || tag == core + "int" || tag == core + "float" || tag == core + "bool") {
        return resolve_plain_scalar(value);
      }
    } catch (const std::range_error& error) {
      reject(name_, mark_of(mark), error.what());
    }
    if (tag == core + "null") {
      return nullptr;
    }
    if (tag != "!" && tag != core + "str") {
      reject(name_, mark_of(mark), base::cat("the tag '", tag, "' is not supported"));
    }
    return value;
  }

  void start(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             const char* own_tag) {
    check_tab(mark);
    if (tag != "?" && tag != "!" && !tag.empty() && tag != own_tag) {
      reject(name_, mark_of(mark), base::cat("the tag '", tag, "' is not supported"));
    }
    if (stack_.size() >= limits_.max_depth) {
      reject(name_, mark_of(mark), base::cat("nested deeper than ", limits_.max_depth, " levels"));
    }
    auto node = make(kind, mark_of(mark), anchor);
    add(node, std::nullopt);
    stack_.push_back({node, std::nullopt, {}, false, {}});
  }

  void end() {
    auto& node = *stack_.back().node;
    node.open = false;
    std::vector<NodePtr> merged;
    for (const auto& source : node.merged) {
      add_merge(merged, source);
    }
    node.merged = std::move(merged);
    stack_.pop_back();
  }

  /// Puts a node where it belongs; `key_text` is what it reads as where a key is expected.
  void add(const NodePtr& node, const std::optional<std::string>& key_text) {
    const bool merge_key = std::exchange(merge_key_, false);
    if (stack_.empty()) {
      root_ = node;
      return;
    }
    auto& frame = stack_.back();
    if (frame.node->kind == Node::Kind::sequence) {
      frame.node->elements.push_back(node);
    } else if (frame.key) {
      add_member(frame, node);
    } else if (!key_text) {
      reject(name_, node->mark, "a key that is a list or a mapping: expected a scalar");
    } else {
      frame.key = *key_text;
      frame.key_mark = node->mark;
      frame.merge = merge_key;
    }
  }

  void add_member(Frame& frame, const NodePtr& node) {
    if (frame.merge) {
      frame.node->merged.push_back(node);
    } else {
      if (!frame.keys.insert(*frame.key).second) {
        reject(name_, frame.key_mark, base::cat("the key '", *frame.key, "' is there twice"));
      }
      frame.node->members.emplace_back(*frame.key, node);
      frame.node->key_marks.emplace(*frame.key, frame.key_mark);
    }
    frame.key.reset();
  }

  /// A mapping, or a list of mappings.
  void add_merge(std::vector<NodePtr>& into, const NodePtr& source) const {
    if (source->kind == Node::Kind::mapping) {
      into.push_back(source);
      return;
    }
    const auto mapping = [](const NodePtr& node) { return node->kind == Node::Kind::mapping; };
    if (source->kind != Node::Kind::sequence ||
        !std::all_of(source->elements.begin(), source->elements.end(), mapping)) {
      reject(name_, source->mark, "'<<': expected a mapping or a list of mappings");
    }
    into.insert(into.end(), source->elements.begin(), source->elements.end());
  }

  const std::string& name_;
  std::vector<std::string> lines_;
  const YamlLimits& limits_;
  std::map<YAML::anchor_t, NodePtr> anchors_;
  std::vector<Frame> stack_;
  NodePtr root_;
  unsigned documents_ = 0;
  bool merge_key_ = false;
};

/// Turns shared nodes into values, counting what aliases multiply.
class Expander {
 public:
  Expander(const std::string& name, const YamlLimits& limits) : name_(name), limits_(limits) {}

  Json expand(const Node& node, unsigned depth) {
    count(node, depth);
    switch (node.kind) {
      case Node::Kind::sequence: {
        Json array = Json::array();
        for (const auto& element : node.elements) {
          array.push_back(expand(*element, depth + 1));
        }
        return array;
      }
      case Node::Kind::mapping: {
        Json object = Json::object();
        add_members(node, depth, object);
        return object;
      }
      default:
        return node.scalar;
    }
  }

 private:
  /// Own keys first, then what is merged: whoever came first stays, as in PyYAML.
  void add_members(const Node& node, unsigned depth, Json& object) {
    for (const auto& [key, child] : node.members) {
      if (!object.contains(key)) {
        object[key] = expand(*child, depth + 1);
      }
    }
    for (const auto& merged : node.merged) {
      count(*merged, depth + 1);
      add_members(*merged, depth + 1, object);
    }
  }

  void count(const Node& node, unsigned depth) {
    bytes_ += node.scalar.is_string() ? node.scalar.get_ref<const std::string&>().size() : 0;
    if (++nodes_ > limits_.max_nodes || bytes_ > limits_.max_bytes) {
      reject(name_, node.mark, "too much once all aliases are expanded");
    }
    if (depth > limits_.max_depth) {
      reject(name_, node.mark, base::cat("nested deeper than ", limits_.max_depth, " levels"));
    }
  }

  const std::string& name_;
  const YamlLimits& limits_;
  std::size_t nodes_ = 0;
  std::uint64_t bytes_ = 0;
};

void require_text(std::string_view text, const std::string& name, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw base::Error(base::Errc::usage,
                      base::cat(name, ": larger than ", limits.max_bytes, " bytes"));
  }
  unsigned number = 0;
  for (const auto& line : base::split(text, '\n')) {
    ++number;
    if (line.find('\0') != std::string::npos) {
      reject(name, {number, static_cast<unsigned>(line.find('\0')) + 1}, "a NUL byte");
    }
    if (!base::valid_utf8(line)) {
      reject(name, {number, 1}, "not UTF-8");
    }
  }
}

std::string unescape(const std::string& step) {
  return base::replace_all(base::replace_all(step, "~1", "/"), "~0", "~");
}

/// The child that a step of a JSON pointer names.
const Node* child_of(const Node& node, const std::string& step) {
  if (node.kind == Node::Kind::sequence) {
    const auto index = base::parse_decimal(step);
    return index && *index < node.elements.size() ? node.elements[*index].get() : nullptr;
  }
  const auto key = unescape(step);
  for (const auto& [name, child] : node.members) {
    if (name == key) {
      return child.get();
    }
  }
  for (const auto& merged : node.merged) {
    if (const auto* found = child_of(*merged, step); found != nullptr) {
      return found;
    }
  }
  return nullptr;
}

/// The node that the pointer names, or the nearest one above it.
const Node* node_at(const Node* node, const std::string& pointer) {
  auto steps = base::split(pointer, '/');
  steps.erase(steps.begin());
  for (const auto& step : steps) {
    const auto* next = child_of(*node, step);
    if (next == nullptr) {
      break;
    }
    node = next;
  }
  return node;
}

std::string text_of(const std::string& name, YamlMark mark) {
  return base::cat(name, ":", mark.line, ":", mark.column);
}

}  // namespace

std::string pointer_to(const std::string& parent, const std::string& key) {
  return base::cat(parent, "/", base::replace_all(base::replace_all(key, "~", "~0"), "/", "~1"));
}

std::string pointer_to(const std::string& parent, std::size_t index) {
  return base::cat(parent, "/", index);
}

std::string Yaml::position(const std::string& pointer) const {
  if (!root) {
    return name;
  }
  return text_of(name, node_at(root.get(), pointer)->mark);
}

std::string Yaml::entry(const std::string& pointer) const {
  const auto slash = pointer.rfind('/');
  if (root && slash != std::string::npos) {
    const auto& marks = node_at(root.get(), pointer.substr(0, slash))->key_marks;
    if (const auto found = marks.find(unescape(pointer.substr(slash + 1))); found != marks.end()) {
      return base::cat(text_of(name, found->second), ": ", pointer);
    }
  }
  return where(pointer);
}

std::string Yaml::where(const std::string& pointer) const {
  return base::cat(position(pointer), ": ", pointer.empty() ? "/" : pointer);
}

Yaml parse_yaml(std::string_view text, const std::string& name, const YamlLimits& limits) {
  require_text(text, name, limits);
  Yaml yaml;
  yaml.name = name;
  Collector collector(text, name, limits);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(collector)) {
    }
  } catch (const YAML::Exception& error) {
    collector.check_tab(error.mark);
    reject(name, mark_of(error.mark), error.msg);
  }
  if (collector.root()) {
    yaml.value = Expander(yaml.name, limits).expand(*collector.root(), 0);
    yaml.root = collector.root();
  }
  return yaml;
}

Yaml read_yaml(const std::string& path, const YamlLimits& limits) {
  return parse_yaml(base::read_file(path, limits.max_bytes), path, limits);
}

}  // namespace io
