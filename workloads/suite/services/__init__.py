"""What do the services do with vectors, whoever makes them?"""
