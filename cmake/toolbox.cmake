# What makes our own builds quick and repeatable: standard, ccache, lld, output folder.
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# Line tables are what a stack trace needs; full debug information triples link time and size.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

find_program(LIBQUEUE_CCACHE ccache)
mark_as_advanced(LIBQUEUE_CCACHE)
if(LIBQUEUE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without this sloppiness ccache refuses every compilation that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${LIBQUEUE_CCACHE})
  if(LIBQUEUE_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

find_program(LIBQUEUE_LLD ld.lld)
mark_as_advanced(LIBQUEUE_LLD)
if(LIBQUEUE_LLD)
  add_link_options(-fuse-ld=lld)
endif()

if(CMAKE_GENERATOR STREQUAL "Ninja" AND NOT DEFINED ENV{NO_COLOR})
  set(CMAKE_COLOR_DIAGNOSTICS ON)
endif()
