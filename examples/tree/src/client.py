def client():
    # TODO: read this from the environment.
    return Client(password="AVNS_0123456789abcdefghi")
