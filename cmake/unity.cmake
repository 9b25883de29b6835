# One object of all sources of a folder: what is built from nothing is built in less than a third of the time, as the
# headers of the standard library and of JSON cost more than the sources that read them. A preset for work on the code is
# OFF: there a change builds one source again, and each source has to include what it uses.
option(MEPH2_UNITY "Compile the sources of a folder as one" OFF)

# meph2_unity(TARGET): call it when the target has all its sources.
function(meph2_unity target)
  if(NOT MEPH2_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder})
    cmake_path(GET source PARENT_PATH room)
    cmake_path(RELATIVE_PATH room BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
    string(MAKE_C_IDENTIFIER "${room}" group)
    set_property(SOURCE ${source} TARGET_DIRECTORY ${target} PROPERTY UNITY_GROUP ${group})
  endforeach()
  # Names of one source are not in the way of another one's: what these two warn of is judged source by source.
  target_compile_options(${target} PRIVATE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
