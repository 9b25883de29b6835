# meph2_target(NAME): what every target of ours compiles with. Target-scoped on purpose: third-party
# headers come in as SYSTEM and are not judged. (-Wnull-dereference is left out: g++ 12 reports it inside
# its own std::string; clang-analyzer finds the real ones.)
option(MEPH2_WERROR "Treat warnings as errors" OFF)

function(meph2_target target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op>
    # g++ 12 at -O2 reports it inside its own std::string (GCC bug 105651).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    $<$<BOOL:${MEPH2_WERROR}>:-Werror>)
  target_compile_definitions(${target} PRIVATE
    JSON_USE_IMPLICIT_CONVERSIONS=0 _FILE_OFFSET_BITS=64
    $<$<BOOL:${MEPH2_FAILPOINTS}>:MEPH2_FAILPOINTS>)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  if(MEPH2_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(MEPH2_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${MEPH2_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
      # g++ 12 reports it inside its own <regex> once a sanitizer is on.
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(${target} PUBLIC -fsanitize=${MEPH2_SANITIZE})
  endif()
endfunction()
