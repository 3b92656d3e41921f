/**
 * The command line: one class a command, which parses its options and prints what the library says.
 *
 * <p>Jackson is only in classes that commands for scripts use, so that {@code run} starts without
 * loading it.
 */
@NullMarked
package dev.nautil.cli;

import org.jspecify.annotations.NullMarked;
