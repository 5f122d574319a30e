import FoundationEssentials
import Glibc

/// A root, an authority beneath it and a server's certificate for `localhost`, in a folder of their own.
package final class TestCertificates: Sendable {
    package struct Failure: Error {}

    private let directory: String
    package var root: String { "\(directory)/root.pem" }
    /// The server's certificate and the authority's.
    package var chain: String { "\(directory)/chain.pem" }
    package var key: String { "\(directory)/server.key" }

    package init() throws {
        directory = "/tmp/portal-certificates-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let script = """
            set -e; cd \(directory)
            new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr -subj "/CN=$2"; }
            new root "Test root"; new middle "Test authority"; new server localhost
            printf 'basicConstraints=critical,CA:true\\n' > ca.ext
            printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth\\n' > server.ext
            openssl x509 -req -in root.csr -signkey root.key -extfile ca.ext -days 2 -out root.pem
            openssl x509 -req -in middle.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile ca.ext -days 2 -out middle.pem
            openssl x509 -req -in server.csr -CA middle.pem -CAkey middle.key -CAcreateserial -extfile server.ext -days 2 -out server.pem
            cat server.pem middle.pem > chain.pem
            """
        try script.write(toFile: "\(directory)/make.sh", atomically: true, encoding: .utf8)
        guard system("sh \(directory)/make.sh > \(directory)/log 2>&1") == 0 else { throw Failure() }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }
}
