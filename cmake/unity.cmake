# Several files compiled as one: most of a compilation is the same headers and the same templates again. The sanitizers'
# builds (presets debug and tsan) compile each target as one file, for less than half of the work. The release build
# compiles each file of the layers by itself, which keeps every file complete; of test programs it takes four at a time,
# and spends little on making fast what runs once: they were nearly half of it.
#
# File-private names may be the same in two files of one target; these files are compiled by themselves. An error
# "redefinition of" or "ambiguous" in a file Unity/unity_0_cxx.cxx wants one more line in cmake/unity_exceptions.cmake.
function(akidb_test_program target)  # akidb_test_program(TARGET)
  if(NOT CMAKE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
  endif()
  if(NOT AKIDB_SANITIZE)
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()
