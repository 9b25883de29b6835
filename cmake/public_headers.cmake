# Run by the installation: src/sstream/sstream.h is the list of the public headers, and what they include comes with them.
# Read then and not before, so that no header is one that CMake has to run again for.
set(waiting sstream/sstream.h)
set(installed "")
while(waiting)
  list(POP_FRONT waiting header)
  list(APPEND installed ${header})
  cmake_path(GET header PARENT_PATH room)
  file(INSTALL ${sstream_source}/${header} DESTINATION ${CMAKE_INSTALL_PREFIX}/${sstream_headers}/${room})
  file(STRINGS ${sstream_source}/${header} included REGEX "^#include \"")
  list(TRANSFORM included REPLACE "^#include \"([^\"]+)\".*" "\\1")
  list(APPEND waiting ${included})
  list(REMOVE_ITEM waiting ${installed})
endwhile()
