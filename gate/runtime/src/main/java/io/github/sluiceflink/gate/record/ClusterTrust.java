package io.github.sluiceflink.gate.record;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts what the cluster's own authority has signed, and nothing else. Its file is read for each
 * connection, because a cluster may replace its authority while jobs run.
 */
final class ClusterTrust extends X509ExtendedTrustManager {

  private final Path authority;
  private byte[] read = {};
  private X509ExtendedTrustManager ofAuthority;

  private ClusterTrust(Path authority) {
    this.authority = authority;
  }

  static SSLContext in(Path authority) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new ClusterTrust(authority)}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has TLS", e);
    }
  }

  private synchronized X509ExtendedTrustManager current() throws CertificateException {
    try {
      byte[] now = Files.readAllBytes(authority);
      if (ofAuthority == null || !Arrays.equals(now, read)) {
        ofAuthority = trusting(now);
        read = now;
      }
      return ofAuthority;
    } catch (IOException | GeneralSecurityException e) {
      throw new CertificateException("the authority in " + authority + " cannot be read: " + e, e);
    }
  }

  private static X509ExtendedTrustManager trusting(byte[] pem)
      throws IOException, GeneralSecurityException {
    KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
    authorities.load(null, null);
    int number = 0;
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    for (Certificate certificate : factory.generateCertificates(new ByteArrayInputStream(pem))) {
      authorities.setCertificateEntry("authority-" + number++, certificate);
    }
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(authorities);
    for (TrustManager manager : managers.getTrustManagers()) {
      if (manager instanceof X509ExtendedTrustManager) {
        return (X509ExtendedTrustManager) manager;
      }
    }
    throw new GeneralSecurityException("this Java trusts no X.509 certificates");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    current().checkServerTrusted(chain, type, engine);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    current().checkServerTrusted(chain, type, socket);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    current().checkServerTrusted(chain, type);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    throw nobodyIsServed();
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    throw nobodyIsServed();
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    throw nobodyIsServed();
  }

  private static CertificateException nobodyIsServed() {
    return new CertificateException("this side serves nobody");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
