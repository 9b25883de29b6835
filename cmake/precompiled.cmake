# One precompiled header for the rooms whose objects nearly all read JSON: a fifth to a quarter of an object's time with
# g++. base and io do without: most of their objects would become slower. At least one preset that is checked must be
# OFF, so that each source goes on including what it uses. (ccache wants CCACHE_SLOPPINESS=pch_defines,time_macros.)
option(MEPH2_PCH "Precompile the headers that cost most" OFF)
if(MEPH2_PCH)
  target_precompile_headers(sstream PRIVATE
    ${PROJECT_SOURCE_DIR}/src/io/json/json.h
    <algorithm> <atomic> <chrono> <functional> <map> <memory> <mutex> <optional> <set> <string> <thread> <vector>)
  foreach(target meph2 cli meph2-util)
    target_precompile_headers(${target} REUSE_FROM sstream)
  endforeach()
  foreach(target sstream meph2 cli meph2-util)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # for ccache
  endforeach()
endif()
