module consumer {
  requires dev.nautil;

  opens consumer to
      dev.nautil,
      com.fasterxml.jackson.databind;
}
