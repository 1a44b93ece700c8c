package deployment

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// usages are those that extended_key_usage knows.
var usages = map[string]x509.ExtKeyUsage{
	"client_auth": x509.ExtKeyUsageClientAuth, "server_auth": x509.ExtKeyUsageServerAuth, "code_signing": x509.ExtKeyUsageCodeSigning,
	"email_protection": x509.ExtKeyUsageEmailProtection, "timestamping": x509.ExtKeyUsageTimeStamping,
}

// newCertificate makes what a variable of the type certificate holds: ca,
// certificate and private_key. Its key is an elliptic one, which takes less time
// than CredHub's.
func newCertificate(options given, ca any, now time.Time) (map[string]any, error) {
	isCA := options.boolOr("is_ca", false)
	if !isCA && ca == nil && !options.boolOr("self_sign", false) {
		return nil, saidf("You must specify a signing CA, or that the certificate is one or signs itself.")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := templateOf(options, now)
	if err != nil {
		return nil, err
	}
	parent, signer, caText := template, key, ""
	if ca != nil {
		if parent, signer, caText, err = readAuthority(ca); err != nil {
			return nil, err
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	certificate := asPEM("CERTIFICATE", der)
	if ca == nil {
		caText = certificate
	}
	return map[string]any{"ca": caText, "certificate": certificate, "private_key": asPEM("PRIVATE KEY", secret)}, nil
}

func templateOf(options given, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	days := 365
	if options.has("duration") {
		days = options.int("duration")
	}
	isCA := options.boolOr("is_ca", false)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: options.stringOr("common_name", "")},
		NotBefore: now, NotAfter: now.AddDate(0, 0, days),
		IsCA: isCA, BasicConstraintsValid: true,
	}
	if organization := options.stringOr("organization", ""); organization != "" {
		template.Subject.Organization = []string{organization}
	}
	if unit := options.stringOr("organization_unit", ""); unit != "" {
		template.Subject.OrganizationalUnit = []string{unit}
	}
	if isCA {
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	for _, name := range options.listOr("extended_key_usage") {
		usage, known := usages[fmt.Sprint(name)]
		if !known {
			return nil, saidf("The provided extended key usage '%v' is not supported.", name)
		}
		template.ExtKeyUsage = append(template.ExtKeyUsage, usage)
	}
	for _, name := range options.listOr("alternative_names") {
		if ip := net.ParseIP(fmt.Sprint(name)); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, fmt.Sprint(name))
		}
	}
	return template, nil
}

// readAuthority takes the value of a CA apart.
func readAuthority(value any) (certificate *x509.Certificate, key *ecdsa.PrivateKey, text string, err error) {
	tree, _ := value.(map[string]any)
	text, _ = tree["certificate"].(string)
	secret, _ := tree["private_key"].(string)
	block, _ := pem.Decode([]byte(text))
	secretBlock, _ := pem.Decode([]byte(secret))
	if block == nil || secretBlock == nil {
		return nil, nil, "", saidf("The specified CA has no certificate or no private key.")
	}
	if certificate, err = x509.ParseCertificate(block.Bytes); err != nil {
		return nil, nil, "", err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(secretBlock.Bytes)
	if err != nil {
		return nil, nil, "", err
	}
	key, isEC := parsed.(*ecdsa.PrivateKey)
	if !isEC || !certificate.IsCA {
		return nil, nil, "", saidf("The specified CA object is not a CA certificate.")
	}
	return certificate, key, text, nil
}

func asPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
