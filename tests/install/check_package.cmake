# cmake -D source= -D build= -D scratch= -D compiler= [-D launcher=] -P check_package.cmake
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${scratch})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed (${code}): ${command}\n${said}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${build} --prefix ${scratch}/prefix --component libqueue)

# Only Boost and the standard library may be seen through our headers.
file(GLOB_RECURSE headers ${scratch}/prefix/include/*)
if(NOT headers)
  message(FATAL_ERROR "no header was installed")
endif()
foreach(header IN LISTS headers)
  file(STRINGS ${header} lines REGEX "^ *# *include")
  foreach(line IN LISTS lines)
    if(line MATCHES "libpq|spdlog|yaml|fmt/|cxxopts|curl" OR line MATCHES "include *\"")
      message(FATAL_ERROR "${header}: an installed header has ${line}")
    endif()
  endforeach()
endforeach()

foreach(project IN ITEMS tests/install/consumer examples)
  run(${CMAKE_COMMAND} -S ${source}/${project} -B ${scratch}/${project} -G Ninja
      -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH=${scratch}/prefix
      -DCMAKE_CXX_COMPILER=${compiler} -DCMAKE_CXX_COMPILER_LAUNCHER=${launcher})
  run(${CMAKE_COMMAND} --build ${scratch}/${project} --parallel 2)
endforeach()
run(${scratch}/tests/install/consumer/consumer)
# The installed test kit starts a PostgreSQL of its own.
run(${scratch}/examples/example_05_testing)
list(LENGTH headers count)
message(STATUS "${count} headers compile alone; a consumer and the examples build, link and run")
