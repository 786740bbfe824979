# libqueue_add_test(NAME x LABEL unit|integration|system|simulation SOURCES ... [LIBS ...]
#                   [TIMEOUT seconds] [RUN_SERIAL] [SUITES ...])
#
# SUITES: one ctest entry for each of these test suites ("<anything>: suite") instead of one for
# all, so that ctest shows how far a long one has come. A suite that is not named does not run.
#
# One executable test_<x> and one ctest entry per module: a process per test case would start a
# PostgreSQL cluster each. Unit tests link libqueue_core and what they name; the others get the
# whole library, its private headers and the test support.
function(libqueue_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "RUN_SERIAL" "NAME;LABEL;TIMEOUT"
                        "SOURCES;LIBS;SUITES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES)
    message(FATAL_ERROR "libqueue_add_test: expected NAME, LABEL, SOURCES; got ${ARGV}")
  endif()
  set(limit_unit 60)
  set(limit_integration 300)
  set(limit_simulation 600)
  set(limit_system 900)
  if(NOT DEFINED limit_${arg_LABEL})
    message(FATAL_ERROR "libqueue_add_test(${arg_NAME}): LABEL: got \"${arg_LABEL}\"")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT ${limit_${arg_LABEL}})
  endif()

  set(target test_${arg_NAME})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE test_main ${arg_LIBS})
  if(arg_LABEL STREQUAL "unit")
    target_link_libraries(${target} PRIVATE libqueue_core)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/libqueue/src)
  else()
    target_link_libraries(${target} PRIVATE test_support libqueue_internal)
    libqueue_use_pch(${target})
  endif()
  set_property(GLOBAL APPEND PROPERTY libqueue_${arg_LABEL}_tests ${target})

  set(entries ${arg_LABEL}.${arg_NAME})
  if(arg_SUITES)
    set(entries)
    foreach(suite IN LISTS arg_SUITES)
      string(REPLACE " " "_" entry "${arg_LABEL}.${arg_NAME}.${suite}")
      add_test(NAME ${entry} COMMAND ${target} "--test-suite=*: ${suite}")
      list(APPEND entries ${entry})
    endforeach()
  else()
    add_test(NAME ${entries} COMMAND ${target})
  endif()
  set_tests_properties(
    ${entries} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} RUN_SERIAL
                          "${arg_RUN_SERIAL}")
endfunction()
