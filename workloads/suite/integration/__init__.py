"""What does the code search do with its model in it?"""
