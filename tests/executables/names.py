# run: users
# run: groups
# run: user
# run: group
# run: host
# run: service
"""Names of users, groups, hosts and services, each as the first question of a process."""

import grp
import os
import pwd
import socket
import sys

how = sys.argv[1]
if how == "users":
    print([user.pw_name for user in pwd.getpwall()])
if how == "groups":
    print([group.gr_name for group in grp.getgrall()])
if how == "user":
    print(pwd.getpwuid(0), pwd.getpwnam("root") == pwd.getpwuid(0), os.path.expanduser("~root"))
if how == "group":
    print(grp.getgrgid(0), os.getgrouplist("root", 0))
if how == "host":
    print(socket.gethostbyname("localhost"))
if how == "service":
    print(socket.getservbyname("http"), socket.getprotobyname("tcp"))
