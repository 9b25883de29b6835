#pragma once

#include <cstddef>
#include <cstdint>

/// What libFuzzer calls, and the replay main when the compiler has no libFuzzer. Aborts when a
/// promise is broken; refusing an input with base::Error is keeping it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
