/** Runs GGUF language models inside a Java program. */
module dev.nautil {
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.datatype.jdk8;
  requires com.fasterxml.jackson.datatype.jsr310;
  requires java.net.http;
  requires org.bytedeco.javacpp;
  requires static info.picocli;
  requires static org.bytedeco.openblas;
  requires static org.jline;
  requires static transitive org.jspecify;

  exports dev.nautil;
  exports dev.nautil.annotation;

  opens dev.nautil.cli to
      info.picocli;
}
