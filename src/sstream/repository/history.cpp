#include "sstream/repository/history.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace sstream {

namespace {

constexpr const char* history_name = "history.jsonl";
constexpr std::uint64_t first_window = 64ULL << 10U;

/// One line: the layout of published files is no use here.
std::string line_of(const HistoryEntry& entry) {
  const io::Json json = {
      {"action", entry.action},   {"base", entry.base},       {"bytes", entry.bytes},
      {"changes", entry.changes}, {"command", entry.command}, {"details", entry.details},
      {"digest", entry.digest},   {"files", entry.files},     {"generation", entry.generation},
      {"when", entry.when},       {"who", entry.who}};
  return json.dump(-1, ' ', true, io::Json::error_handler_t::replace) + "\n";
}

HistoryEntry entry_of(const std::string& line) {
  const auto json = io::parse_json(line, history_name);
  const auto text = [&](const char* key) { return json.value(key, std::string()); };
  const auto number = [&](const char* key) { return json.value(key, std::uint64_t{0}); };
  HistoryEntry entry;
  entry.generation = json.at("generation").get<std::uint64_t>();
  entry.when = text("when");
  entry.who = text("who");
  entry.command = text("command");
  entry.action = text("action");
  entry.base = text("base");
  entry.digest = text("digest");
  entry.files = number("files");
  entry.bytes = number("bytes");
  entry.changes = json.value("changes", io::Json::object());
  entry.details = json.value("details", io::Json());
  return entry;
}

std::optional<HistoryEntry> read_entry(const std::string& line) {
  try {
    return entry_of(line);
  } catch (const std::exception&) {  // torn by a crash, or edited by somebody
    return std::nullopt;
  }
}

base::File open_history(const Repository& repository) {
  if (repository.private_dir() < 0 || !base::exists_at(repository.private_dir(), history_name)) {
    return {};
  }
  return base::open_file_at(repository.private_dir(), history_name, O_RDONLY | O_NOFOLLOW);
}

std::string read_tail(const base::File& file, std::uint64_t length) {
  std::string tail(length, '\0');
  tail.resize(file.read_at(tail, file.size() - length));
  return tail;
}

bool ends_in_newline(const base::File& file) {
  const auto size = file.size();
  std::array<char, 1> last{};
  return size == 0 || (file.read_at(last, size - 1) == 1 && last[0] == '\n');
}

}  // namespace

std::string generation_name(std::uint64_t number) {
  constexpr std::size_t width = 8;
  const auto digits = base::cat(number);
  return std::string(digits.size() < width ? width - digits.size() : 0, '0') + digits;
}

void append_history(const Repository& repository, const HistoryEntry& entry) {
  auto file = base::open_file_at(repository.private_dir(), history_name,
                                 O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0644);
  const auto size = file.size();
  // The line that a crash tore stays as it is; this one must not become its tail.
  file.write(ends_in_newline(file) ? line_of(entry) : "\n" + line_of(entry));
  file.sync();
  if (size == 0) {
    base::sync_directory(repository.private_dir(), ".data/.sstream");
  }
}

std::optional<HistoryEntry> last_history(const Repository& repository) {
  const auto file = open_history(repository);
  const auto size = file ? file.size() : 0;
  for (auto window = std::min<std::uint64_t>(size, first_window); window > 0;
       window = std::min<std::uint64_t>(size, window * 4)) {
    auto lines = base::split(read_tail(file, window), '\n');
    if (window < size) {
      lines.erase(lines.begin());  // perhaps not from its start
    }
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      if (auto entry = read_entry(*line)) {
        return entry;
      }
    }
    if (window == size) {
      break;
    }
  }
  return std::nullopt;
}

RepositoryState recovered_state(const Repository& repository, const std::string& live_digest) {
  auto state = repository.read_state();
  const auto last = last_history(repository);
  if (last && (last->digest == live_digest || state.generation == 0)) {
    state.generation = std::max(state.generation, last->generation);
  }
  return state;
}

History read_history(const Repository& repository, std::uint64_t published,
                     const std::string& live_digest) {
  History history;
  auto& entries = history.entries;
  auto file = open_history(repository);
  for (const auto& line : base::split(file ? base::read_all(file) : "", '\n')) {
    auto entry = read_entry(line);
    if (!entry) {
      history.unreadable += line.empty() ? 0U : 1U;
      continue;
    }
    while (!entries.empty() && entries.back().generation >= entry->generation) {
      entries.pop_back();
    }
    entries.push_back(std::move(*entry));
  }
  while (!entries.empty() && entries.back().generation > published &&
         entries.back().digest != live_digest) {
    entries.pop_back();
  }
  return history;
}

}  // namespace sstream
