# Adds the folders that exist, so that a folder is added by creating it with a CMakeLists.txt.
function(libqueue_add_folders)
  foreach(folder IN LISTS ARGN)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

# One precompiled header, built once (libqueue_pch) and shared. Flags must be equal for that,
# so it is for targets of this tree that link libqueue.
function(libqueue_use_pch target)
  if(LIBQUEUE_PCH AND PROJECT_IS_TOP_LEVEL)
    target_precompile_headers(${target} REUSE_FROM libqueue_pch)
  endif()
endfunction()
