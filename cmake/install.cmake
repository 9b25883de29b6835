# libsstream for others: the archives of the rooms below meph2, the public headers, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

set(sstream_headers ${CMAKE_INSTALL_INCLUDEDIR}/libsstream)
set(sstream_cmake ${CMAKE_INSTALL_LIBDIR}/cmake/sstream)

foreach(room base io sstream)
  target_include_directories(${room} INTERFACE $<INSTALL_INTERFACE:${sstream_headers}>)
  # The headers show nlohmann::json: whoever reads them has to see the type that the archives were built with.
  target_compile_definitions(${room} INTERFACE $<INSTALL_INTERFACE:JSON_USE_IMPLICIT_CONVERSIONS=0>)
endforeach()
install(CODE "set(sstream_source \"${PROJECT_SOURCE_DIR}/src\")\nset(sstream_headers \"${sstream_headers}\")")
install(SCRIPT ${PROJECT_SOURCE_DIR}/cmake/public_headers.cmake)
set_target_properties(base PROPERTIES OUTPUT_NAME sstream-base)
set_target_properties(io PROPERTIES OUTPUT_NAME sstream-io)
install(TARGETS base io sstream EXPORT sstreamTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# CMake leaves archives alone, as they need their symbols, but nobody needs what these have for a debugger.
foreach(room base io sstream)
  install(CODE "execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-debug
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/$<TARGET_FILE_NAME:${room}>\" COMMAND_ERROR_IS_FATAL ANY)")
endforeach()
install(EXPORT sstreamTargets NAMESPACE sstream:: DESTINATION ${sstream_cmake})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sstreamConfig.cmake.in
  ${PROJECT_BINARY_DIR}/generated/sstreamConfig.cmake INSTALL_DESTINATION ${sstream_cmake})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/sstreamConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/sstreamConfig.cmake
              ${PROJECT_BINARY_DIR}/generated/sstreamConfigVersion.cmake DESTINATION ${sstream_cmake})
string(REGEX REPLACE "[^/]+" ".." pc_to_prefix ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_file(${PROJECT_SOURCE_DIR}/cmake/sstream.pc.in ${PROJECT_BINARY_DIR}/generated/sstream.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/sstream.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Everything else that the commands come with.
install(PROGRAMS ${PROJECT_SOURCE_DIR}/bin/fake-maas-cloudimg2eph2 ${PROJECT_SOURCE_DIR}/bin/kh-xgene TYPE BIN)
foreach(section 1 5 7)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
          FILES_MATCHING PATTERN "*.${section}")
endforeach()
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/conf/ DESTINATION ${CMAKE_INSTALL_DATADIR}/meph2/conf OPTIONAL)
