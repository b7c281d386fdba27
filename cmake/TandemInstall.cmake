# The installed form: one shared library out of all folders, its headers, a CMake package, a pkg-config file, the
# program with its completions, and the sample data.
include(CMakePackageConfigHelpers)

get_property(folders GLOBAL PROPERTY TANDEM_FOLDERS)
get_property(libraries GLOBAL PROPERTY TANDEM_LIBRARIES)
list(TRANSFORM folders REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
list(REMOVE_DUPLICATES libraries)

add_library(tandem SHARED ${objects})
add_library(tandem::tandem ALIAS tandem)
target_link_libraries(tandem PRIVATE tandem_options ${libraries})
target_link_libraries(tandem PUBLIC tl::expected)
target_include_directories(tandem INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# Only what include/tandem declares is visible: the rest may change without breaking a program that is linked already.
set(symbols ${PROJECT_SOURCE_DIR}/cmake/tandem.map)
target_link_options(tandem PRIVATE -Wl,--version-script=${symbols})
set_target_properties(tandem PROPERTIES LINKER_LANGUAGE CXX
                                        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                                        LINK_DEPENDS ${symbols})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tandem)
install(TARGETS tandem EXPORT tandem)
install(TARGETS tandem_cli)
install(DIRECTORY include/tandem TYPE INCLUDE)
install(DIRECTORY examples/data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/tandem/examples)
install(EXPORT tandem NAMESPACE tandem:: FILE tandemTargets.cmake DESTINATION ${package_dir})

configure_package_config_file(cmake/tandemConfig.cmake.in ${PROJECT_BINARY_DIR}/tandemConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tandemConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tandemConfig.cmake ${PROJECT_BINARY_DIR}/tandemConfigVersion.cmake
        DESTINATION ${package_dir})

file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/tandem.pc.in ${PROJECT_BINARY_DIR}/tandem.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tandem.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(completions ${PROJECT_BINARY_DIR}/completions)
install(FILES ${completions}/tandem DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${completions}/_tandem DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${completions}/tandem.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
