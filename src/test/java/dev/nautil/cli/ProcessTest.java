package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.JavaProcess;
import dev.nautil.TestModels;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The command as a process of its own, in a locale without UTF-8. */
class ProcessTest {
  private static final Path MODEL = TestModels.smolLm2();

  private static Process start(String... arguments) throws IOException {
    String path =
        Stream.of("jdk.module.path", "java.class.path")
            .map(System::getProperty)
            .filter(Objects::nonNull)
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command =
        new ArrayList<>(List.of("-XX:TieredStopAtLevel=1", "dev.nautil.cli.Main"));
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = JavaProcess.of(path, command);
    // A shell starts what it runs in the background with the interrupt ignored, and children
    // inherit that.
    builder.command().addAll(0, List.of("env", "--default-signal=INT"));
    builder.environment().put("LC_ALL", "C");
    builder.environment().put("LANG", "C");
    return builder.start();
  }

  private static String text(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static int code(Process process) throws InterruptedException {
    assertTrue(process.waitFor(2, TimeUnit.MINUTES));
    return process.exitValue();
  }

  @Test
  void speaksUtf8WhateverTheLocale() throws Exception {
    // Raw text comes back the same way through an argument and through standard input.
    Process byArgument =
        start("complete", MODEL.toString(), "--prompt", "Où est né Napoléon ?", "--n-predict", "8");
    byArgument.getOutputStream().close();
    Process byInput = start("complete", MODEL.toString(), "--jsonl");
    byInput
        .getOutputStream()
        .write(
            "{\"prompt\": \"Où est né Napoléon ?\", \"n_predict\": 8}"
                .getBytes(StandardCharsets.UTF_8));
    byInput.getOutputStream().close();
    String expected =
        Cli.run("complete", MODEL, "--prompt", "Où est né Napoléon ?", "--n-predict", "8").ok();
    assertEquals(expected, text(byArgument));
    String answer = text(byInput);
    assertTrue(answer.contains(expected.strip().lines().findFirst().orElseThrow()), answer);
    assertEquals(0, code(byArgument));
    assertEquals(0, code(byInput));
    assertTrue(expected.chars().anyMatch(c -> c > 0x7F), "this text proves little: " + expected);
  }

  @Test
  void endsQuietlyWhenNobodyReads() throws Exception {
    Process process = start("inspect", MODEL.toString(), "--json");
    assertEquals('{', process.getInputStream().read());
    process.getInputStream().close();
    assertEquals(141, code(process));
    assertEquals("", new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
  }

  @Test
  void ctrlCEndsAnAnswer() throws Exception {
    // The model answers this with a sentence that it repeats to the end of its context.
    Process process = start("run", MODEL.toString(), "Thank you, goodbye.", "--temp", "0");
    process.getOutputStream().close();
    assertTrue(process.getInputStream().read() > 0);
    new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
    assertEquals(130, code(process));
  }

  @Test
  void exitCodesReachTheShell() throws Exception {
    assertEquals(2, code(start("run", "--no-such-option")));
    assertEquals(1, code(start("inspect", "absent.gguf")));
    Process version = start("--version");
    assertTrue(text(version).startsWith("nautil "));
    assertEquals(0, code(version));
  }
}
