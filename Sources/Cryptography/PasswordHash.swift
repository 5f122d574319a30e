import COpenSSL
import Core

/// What is kept of a password: scrypt (RFC 7914) in the PHC string form `$scrypt$ln=15,r=8,p=3$salt$hash`.
package struct PasswordHash: Sendable, Equatable {
    /// How much work one hash is.
    package struct Cost: Sendable, Equatable {
        /// The binary logarithm of scrypt's N.
        package var logN: Int
        package var blockSize: Int
        package var parallelism: Int

        package init(logN: Int, blockSize: Int, parallelism: Int) {
            self.logN = logN
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// 32 MiB and about 0.2 s of one core (OWASP's third choice).
        package static let standard = Cost(logN: 15, blockSize: 8, parallelism: 3)
        /// For tests only: quick and weak.
        package static let quick = Cost(logN: 4, blockSize: 8, parallelism: 1)

        /// What a stored string may ask of us: at most 128 MiB.
        var isAcceptable: Bool {
            (1...20).contains(logN) && (1...32).contains(blockSize) && (1...16).contains(parallelism)
                && (blockSize << logN) <= 1 << 20
        }
    }

    /// Longer passwords are refused before hashing.
    package static let maximumPasswordBytes = 1024
    private static let saltBytes = 16
    private static let hashBytes = 32

    package let cost: Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// Hashes a password: slow on purpose. Call it through ``PasswordHasher``.
    package init(password: String, cost: Cost = .standard) throws(CryptographyError) {
        try self.init(password: password, salt: SecureRandom.bytes(Self.saltBytes), cost: cost)
    }

    init(password: String, salt: [UInt8], cost: Cost) throws(CryptographyError) {
        self.cost = cost
        self.salt = salt
        hash = try Scrypt.derive(password: Array(password.utf8), salt: salt, cost: cost, count: Self.hashBytes)
    }

    private init(salt: [UInt8], hash: [UInt8], cost: Cost) {
        self.salt = salt
        self.hash = hash
        self.cost = cost
    }

    /// A hash that stands for no password: checking one against it takes as long as against any other. Making it costs
    /// nothing, so a start does not wait for it.
    static func ofNobody(cost: Cost) -> PasswordHash {
        PasswordHash(salt: SecureRandom.bytes(saltBytes), hash: SecureRandom.bytes(hashBytes), cost: cost)
    }

    /// Reads a stored string; nil for any other form and for parameters nobody should ask of this machine.
    package init?(stored: String) {
        let parts: [Substring] = stored.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = Self.parseCost(parts[2]),
            let salt = Base64.decodeUnpadded(parts[3]), let hash = Base64.decodeUnpadded(parts[4]),
            (8...64).contains(salt.count), (16...64).contains(hash.count)
        else { return nil }
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    private static func parseCost(_ text: Substring) -> Cost? {
        var numbers: [Substring: Int] = [:]
        for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves: [Substring] = pair.split(separator: "=", omittingEmptySubsequences: false)
            guard halves.count == 2, let number = Int(halves[1]), numbers[halves[0]] == nil else { return nil }
            numbers[halves[0]] = number
        }
        guard numbers.count == 3, let logN = numbers["ln"], let blockSize = numbers["r"], let parallelism = numbers["p"]
        else { return nil }
        let cost = Cost(logN: logN, blockSize: blockSize, parallelism: parallelism)
        return cost.isAcceptable ? cost : nil
    }

    /// The string to store.
    package var stored: String {
        let parameters = "ln=\(cost.logN),r=\(cost.blockSize),p=\(cost.parallelism)"
        return "$scrypt$\(parameters)$\(Base64.encodeUnpadded(salt))$\(Base64.encodeUnpadded(hash))"
    }

    /// Whether this is the password: slow on purpose, and in constant time for what it compares.
    package func matches(_ password: String) throws(CryptographyError) -> Bool {
        let bytes: [UInt8] = Array(password.utf8)
        guard bytes.count <= Self.maximumPasswordBytes else { return false }
        let derived: [UInt8] = try Scrypt.derive(password: bytes, salt: salt, cost: cost, count: hash.count)
        return ConstantTime.equal(derived, hash)
    }

    /// Whether the stored parameters differ from today's, so that the next sign-in should store a new hash.
    package func needsRehash(for wanted: Cost = .standard) -> Bool {
        cost != wanted || hash.count != Self.hashBytes || salt.count != Self.saltBytes
    }
}

/// scrypt through OpenSSL with its memory limit given: the built-in limit is too low for any setting worth using.
enum Scrypt {
    static func derive(
        password: [UInt8], salt: [UInt8], cost: PasswordHash.Cost, count: Int
    ) throws(CryptographyError) -> [UInt8] {
        guard cost.isAcceptable, password.count <= PasswordHash.maximumPasswordBytes else {
            throw CryptographyError(operation: "scrypt parameters out of bounds", reasons: [])
        }
        let n: UInt64 = 1 << UInt64(cost.logN)
        let blocks: UInt64 = n + UInt64(cost.parallelism) + 2
        let memory: UInt64 = 128 * UInt64(cost.blockSize) * blocks + 1 << 20
        var output = [UInt8](repeating: 0, count: count)
        let derived: Int32 = password.withUnsafeBytes { bytes in
            let characters: UnsafePointer<CChar>? = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            return EVP_PBE_scrypt(
                characters ?? emptyText, bytes.count, salt, salt.count, n, UInt64(cost.blockSize),
                UInt64(cost.parallelism), memory, &output, output.count)
        }
        guard derived == 1 else { throw .drained("scrypt") }
        return output
    }

    /// OpenSSL takes a missing pointer for "only check the parameters", so an empty password needs one.
    private nonisolated(unsafe) static let emptyText: UnsafePointer<CChar> = {
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        text.initialize(to: 0)
        return UnsafePointer(text)
    }()
}
