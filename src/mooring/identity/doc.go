// Package identity finds out who calls: by a client certificate, by a bearer
// token that the configuration names, or by one of an OpenID Connect issuer
// such as the UAA of Cloud Foundry. Who is known has the roles that the
// configuration gives; what roles are good for is package access's business.
package identity
