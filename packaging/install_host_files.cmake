# Included by cmake_install.cmake with unit_template, relative_bindir and qctl set.
set(prefix "${CMAKE_INSTALL_PREFIX}")
set(staged "$ENV{DESTDIR}${prefix}")

# /etc and /usr/bin for a package; under any other prefix everything is below it.
if(prefix STREQUAL "/usr")
  set(sysconfdir "/etc")
else()
  set(sysconfdir "${prefix}/etc")
endif()
set(bindir "${prefix}/${relative_bindir}")
set(config "${sysconfdir}/workerd/workerd.yaml")
set(unit "${staged}/lib/systemd/system/workerd.service")
message(STATUS "Installing: ${unit}")
configure_file("${unit_template}" "${unit}" @ONLY)

foreach(target IN ITEMS "bash share/bash-completion/completions/qctl"
                        "zsh share/zsh/site-functions/_qctl"
                        "fish share/fish/vendor_completions.d/qctl.fish")
  separate_arguments(target)
  list(GET target 0 shell)
  list(GET target 1 path)
  message(STATUS "Installing: ${staged}/${path}")
  execute_process(COMMAND "${qctl}" completion ${shell} OUTPUT_VARIABLE script
                  COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE "${staged}/${path}" "${script}")
endforeach()

set(pages "${staged}/share/man/man1")
message(STATUS "Installing: ${pages}")
execute_process(COMMAND "${qctl}" man --dir "${pages}" COMMAND_ERROR_IS_FATAL ANY)
