/** Runs GGUF language models inside a Java program. */
module dev.nautil {
  requires org.bytedeco.javacpp;
  requires static com.fasterxml.jackson.databind;
  requires static info.picocli;
  requires static org.bytedeco.openblas;
  requires static org.jline;
  requires static org.jspecify;

  exports dev.nautil;

  opens dev.nautil.cli to
      info.picocli;
}
