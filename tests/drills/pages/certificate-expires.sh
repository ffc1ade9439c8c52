# The certificate has three days left.
alert=AkidbCertificateExpires
scheme_s=s
prepare() {
    certificate 300
    authority=$here/certificate.pem
    settings=(--tls.certificate_file "$here/certificate.pem" --tls.key_file "$here/key.pem")
}
inject() {
    certificate 3
    systemctl reload akidb
}
operator() { certificate 300; }
