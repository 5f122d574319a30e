/// The version of the product, as `portal version` and the API documentation say it.
package enum PortalVersion {
    package static let current = "0.1.0"
}
