# cmake -D build= -D scratch= -P check_service.cmake: installs the programs and has systemd look at
# the unit, without a systemd that runs.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${scratch})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed (${code}): ${command}\n${said}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

set(prefix ${scratch}/prefix)
run(${CMAKE_COMMAND} --install ${build} --prefix ${prefix} --component workerd)
set(unit ${prefix}/lib/systemd/system/workerd.service)

# What the unit starts is what was installed.
file(STRINGS ${unit} start REGEX "^ExecStart=")
if(NOT start STREQUAL
   "ExecStart=${prefix}/bin/workerd --config ${prefix}/etc/workerd/workerd.yaml")
  message(FATAL_ERROR "unexpected: ${start}")
endif()
run(${prefix}/bin/workerd --version)
foreach(file IN ITEMS bin/qctl share/bash-completion/completions/qctl
                      share/zsh/site-functions/_qctl share/fish/vendor_completions.d/qctl.fish
                      share/man/man1/qctl.1 share/man/man1/qctl-jobs-list.1)
  file(SIZE ${prefix}/${file} size)
  if(size EQUAL 0)
    message(FATAL_ERROR "${file} is empty")
  endif()
endforeach()

# Unknown or malformed settings are only warnings to it, so its words count, too. What other units
# of this machine say is no business of ours.
run(systemd-analyze verify --man=no --generators=no --recursive-errors=no ${unit})
if(said MATCHES "workerd\\.service")
  message(FATAL_ERROR "systemd-analyze verify:\n${said}")
endif()

# The exposure in tenths: at most 1.5.
run(systemd-analyze security --no-pager --offline=true --threshold=15 ${unit})
string(REGEX MATCH "Overall exposure level[^\n]*" level "${said}")
message(STATUS "${level}")

# A setting that is left out must be noticed, or the figure above says nothing.
file(READ ${unit} text)
string(REPLACE "CapabilityBoundingSet=\n" "" weaker "${text}")
string(REPLACE "SystemCallFilter=@system-service\n" "" weaker "${weaker}")
file(WRITE ${scratch}/weaker.service "${weaker}")
execute_process(
  COMMAND systemd-analyze security --no-pager --offline=true --threshold=15
          ${scratch}/weaker.service
  RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
if(code EQUAL 0)
  message(FATAL_ERROR "a weaker unit passes as well")
endif()
