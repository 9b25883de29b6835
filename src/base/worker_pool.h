#pragma once

#include <cstddef>
#include <functional>

namespace base {

/// Calls `work(i)` for every i in [0, count), on up to `jobs` threads (the calling one included).
/// The first exception, by index, is rethrown after all started work has ended; work that has not
/// started by then is dropped. With jobs == 1 everything runs in order in the calling thread.
void parallel_for(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work);

/// Number of usable cores, at least 1.
unsigned core_count();

}  // namespace base
