# libqueue installs as one archive, its public headers and a package that find_package finds.
include(CMakePackageConfigHelpers)

set(libqueue_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/libqueue")

install(
  TARGETS libqueue libqueue_testing
  EXPORT libqueue_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libqueue)
install(
  DIRECTORY ${PROJECT_SOURCE_DIR}/libqueue/include/libqueue
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT libqueue
  FILES_MATCHING
  PATTERN "*.hpp")
install(
  EXPORT libqueue_targets
  FILE libqueueTargets.cmake
  NAMESPACE libqueue::
  DESTINATION ${libqueue_package_dir}
  COMPONENT libqueue)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/libqueueConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/libqueueConfig.cmake INSTALL_DESTINATION ${libqueue_package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/libqueueConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(
  FILES ${CMAKE_CURRENT_BINARY_DIR}/libqueueConfig.cmake
        ${CMAKE_CURRENT_BINARY_DIR}/libqueueConfigVersion.cmake
  DESTINATION ${libqueue_package_dir}
  COMPONENT libqueue)
