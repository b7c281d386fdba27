// Which names the shared library shows.
#pragma once

/// Of include/tandem, and nothing else: the library is built with hidden visibility.
#define TANDEM_EXPORT __attribute__((visibility("default")))
