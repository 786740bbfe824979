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

# Embeds SQL files NNNN_verb_object.sql as the migration set of a schema: the target's sources
# include <TARGET/migrations.hpp> and call NAMESPACE::embedded_migrations().
function(libqueue_embed_migrations target namespace schema)
  list(TRANSFORM ARGN PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE files)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/include/${target}/migrations.hpp")
  set(embed "${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake")
  list(JOIN files "," inputs)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -D kind=migration_set -D namespace=${namespace} -D schema=${schema} -D
            inputs=${inputs} -D output=${out} -P ${embed}
    DEPENDS ${files} ${embed} ${CMAKE_CURRENT_LIST_FILE}
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/include)
endfunction()

# Embeds single statements of a target outside libqueue, one per file: its sources include
# <sql/NAME.hpp> and say libqueue::sql::NAME, as the engine's do.
function(libqueue_embed_queries target)
  set(embed "${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake")
  foreach(file IN LISTS ARGN)
    cmake_path(GET file STEM name)
    set(out "${CMAKE_CURRENT_BINARY_DIR}/include/sql/${name}.hpp")
    add_custom_command(
      OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -D kind=query -D input=${CMAKE_CURRENT_SOURCE_DIR}/${file} -D
              output=${out} -P ${embed}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${embed}
      VERBATIM)
    target_sources(${target} PRIVATE ${out})
  endforeach()
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/include)
endfunction()
